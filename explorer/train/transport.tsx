import { grouped } from '../shared/numbers.ts'
import type { Client } from './client.ts'
import type { TrainFrame } from './protocol.ts'

export interface TransportProps {
  readonly training: Client
  readonly shown: TrainFrame | undefined
}

/** Train, pause, one step, and back to any moment that was kept. */
export function Transport({ training, shown }: TransportProps) {
  const running = training.state.value === 'running'
  const ready = shown !== undefined
  const kept = [...(shown?.kept ?? [0])].sort((a, b) => a - b)
  const step = shown?.step ?? 0
  const index = kept.findLastIndex((other) => other <= step)
  const seek = (to: number) => {
    if (running) training.pause()
    training.seek(kept[Math.min(Math.max(to, 0), kept.length - 1)]!)
  }
  const begun = step > 0 || kept.length > 1
  return (
    <section class="transport" aria-label="Training">
      <button type="button" class="go" disabled={!ready} onClick={() => (running ? training.pause() : training.run())}>
        {running ? '❚❚ Pause' : begun ? '▶ Train on' : '▶ Train'}
      </button>
      <button type="button" disabled={!ready} onClick={() => training.step(1)}>
        One step
      </button>
      <button type="button" disabled={!ready || step === 0} onClick={() => seek(0)}>
        Back to step 0
      </button>
      <label class="scrub">
        <span>moment</span>
        <input
          type="range"
          min={0}
          max={Math.max(kept.length - 1, 1)}
          value={index}
          disabled={kept.length < 2}
          aria-valuetext={`step ${step}`}
          onInput={(event) => seek(Number(event.currentTarget.value))}
        />
      </label>
      <output class="step">step {grouped(step)}</output>
      <p class="train-time">
        {shown && step > 0 && `${shown.seconds.toFixed(1)} s of training, ${shown.stepTime.toFixed(1)} ms a step`}
      </p>
    </section>
  )
}
