import { SingleBar } from 'cli-progress'
import { type Callback, epochLine, type StepProgress } from '../nn/callbacks.ts'
import type { Terminal } from './terminal.ts'

/** How much the newest step counts in the time of a step. */
const newest = 0.05

const shownSeconds = (seconds: number) => {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** What stands beside the bar, from the time of a step in seconds. */
export function progressText(at: StepProgress, batchSize: number, perStep: number | undefined): string {
  const { results, epoch, epochs, step, stepsPerEpoch } = at
  const accuracy = results.accuracy === undefined ? '' : `  accuracy ${results.accuracy.toFixed(4)}`
  const measured = `loss ${results.loss.toFixed(4)}${accuracy}`
  if (perStep === undefined) return measured
  const left = (stepsPerEpoch - step) * perStep
  const all = left + (epochs - epoch) * stepsPerEpoch * perStep
  const time = `${shownSeconds(left)} left (all ${shownSeconds(all)})`
  return `${measured}  ${Math.round(batchSize / perStep)} images/s  ${time}`
}

function newBar(name: string, steps: number): SingleBar {
  const bar = new SingleBar({
    format: `${name} {bar} {percentage}%  {text}`,
    barCompleteChar: '█',
    barIncompleteChar: '░',
    barsize: 20,
    clearOnComplete: true,
    hideCursor: true,
    linewrap: false,
    // Ctrl-C is the training's
    gracefulExit: false,
  })
  bar.start(steps, 0, { text: '' })
  return bar
}

/** A bar that shows the steps of each epoch, and a line for each epoch; without a terminal only the lines. */
export function progress(terminal: Terminal, batchSize: number): Callback & { clear(): void } {
  let bar: SingleBar | undefined
  let perStep: number | undefined
  let last: number | undefined
  const clear = () => {
    bar?.stop()
    bar = undefined
    last = undefined
  }
  return {
    clear,
    step(at) {
      if (!terminal.interactive) return
      const now = performance.now()
      // the first step of all compiles the program, so it says nothing about the others
      const seconds = last === undefined ? perStep : (now - last) / 1000
      perStep = perStep === undefined || seconds === undefined ? seconds : perStep + (seconds - perStep) * newest
      last = now
      bar ??= newBar(`epoch ${at.epoch}/${at.epochs}`, at.stepsPerEpoch)
      bar.update(at.step, { text: progressText(at, batchSize, perStep) })
    },
    epoch(record, { epochs }) {
      clear()
      terminal.print(epochLine(record, epochs))
    },
  }
}
