import { SingleBar } from 'cli-progress'
import { type Callback, epochLine, type StepProgress } from '../nn/callbacks.ts'
import type { Terminal } from './terminal.ts'

const shownSeconds = (seconds: number) => {
  const whole = Math.ceil(seconds)
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`
}

/** What stands beside the bar. */
export function progressText({ loss, accuracy }: StepProgress['results'], speed: number, left: number, all: number) {
  const measured = accuracy === undefined ? '' : `  accuracy ${accuracy.toFixed(4)}`
  const time = `${shownSeconds(left)} left (all ${shownSeconds(all)})`
  return `loss ${loss.toFixed(4)}${measured}  ${Math.round(speed)} images/s  ${time}`
}

/** A bar that shows the steps of each epoch, and a line for each epoch; without a terminal only the lines. */
export function progress(terminal: Terminal, batchSize: number): Callback & { clear(): void } {
  let running: SingleBar | undefined
  const start = (name: string, steps: number): SingleBar => {
    const format = `${name} {bar} {percentage}%  {text}`
    const made = new SingleBar({ format, barsize: 20, clearOnComplete: true, hideCursor: true, linewrap: false })
    made.start(steps, 0, { text: '' })
    return made
  }
  const clear = () => {
    running?.stop()
    running = undefined
  }
  return {
    clear,
    step({ epoch, epochs, step, stepsPerEpoch, results, imagesPerSecond, secondsLeft }) {
      if (!terminal.interactive) return
      running ??= start(`epoch ${epoch}/${epochs}`, stepsPerEpoch)
      const left = ((stepsPerEpoch - step) * batchSize) / imagesPerSecond
      running.update(step, { text: progressText(results, imagesPerSecond, left, secondsLeft) })
    },
    epoch(record, { epochs }) {
      clear()
      terminal.print(epochLine(record, epochs))
    },
  }
}
