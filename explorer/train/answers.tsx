import { decimals } from '../shared/numbers.ts'

export interface AnswersProps {
  readonly classes: readonly string[]
  readonly shares: Float32Array
  /** The right one; -1 where nobody knows. */
  readonly label: number
}

/** What the network takes the picture for: a bar for each class. */
export function Answers({ classes, shares, label }: AnswersProps) {
  return (
    <div class="answers">
      <p class="view-title">{label < 0 ? 'Answer' : `Answer (it is ${classes[label]})`}</p>
      <ol>
        {classes.map((name, i) => (
          <li key={name} class={i === label ? 'right' : ''}>
            <span>{name}</span>
            <span class="bar">
              <span style={{ width: `${100 * shares[i]!}%` }} />
            </span>
            <span class="share">{decimals(100 * shares[i]!, 1)}%</span>
          </li>
        ))}
      </ol>
    </div>
  )
}
