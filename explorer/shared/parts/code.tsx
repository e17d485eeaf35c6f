import { useState } from 'preact/hooks'
import type { Code } from '../frame.ts'

const names = { fovea: 'fovea', pytorch: 'PyTorch', keras: 'Keras' } as const

/** The figure's computation as a program of each library. */
export function CodeView({ code }: { code: Code }) {
  const [chosen, setChosen] = useState<keyof Code>('fovea')
  return (
    <section class="code" aria-label="Code">
      <div class="segments">
        {(Object.keys(names) as (keyof Code)[]).map((name) => (
          <button key={name} type="button" aria-pressed={name === chosen} onClick={() => setChosen(name)}>
            {names[name]}
          </button>
        ))}
      </div>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: long lines are scrolled by keyboard */}
      <section class="listing" tabIndex={0} aria-label={`${names[chosen]} code`}>
        <pre>
          <code>{code[chosen]}</code>
        </pre>
      </section>
    </section>
  )
}
