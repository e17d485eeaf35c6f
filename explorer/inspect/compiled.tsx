import { decimals, grouped } from '../shared/numbers.ts'
import type { Compiled as Facts } from './protocol.ts'

/** What the compiler made of a layer: algorithm, why, time, and the kernels that run. */
export function Compiled({ compiled }: { readonly compiled: Facts }) {
  const { plans, kernels, steps, arenaBytes } = compiled
  const total = steps.reduce((sum, { milliseconds }) => sum + milliseconds, 0)
  return (
    <section class="compiled" aria-label="What the compiler made of it">
      <dl class="facts">
        {plans.map(({ algorithm, why }) => (
          <div key={algorithm + why}>
            <dt>algorithm</dt>
            <dd>
              {algorithm}: {why}
            </dd>
          </div>
        ))}
        <div>
          <dt>time</dt>
          <dd>
            {decimals(total, 4)} ms on one thread
            {steps.length > 1 &&
              ` (${steps.map(({ label, milliseconds }) => `${label} ${decimals(milliseconds, 4)}`).join(', ')})`}
          </dd>
        </div>
        <div>
          <dt>memory</dt>
          <dd>{grouped(arenaBytes)} bytes while it runs</dd>
        </div>
      </dl>
      {kernels.map(({ name, text }) => (
        <details key={text} class="more">
          <summary>kernel {name}</summary>
          {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
          <section class="listing" tabIndex={0} aria-label={`Kernel ${name}`}>
            <pre>{text}</pre>
          </section>
        </details>
      ))}
    </section>
  )
}
