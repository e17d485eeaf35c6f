import { decimals } from '../shared/numbers.ts'
import { bestOf } from './model.ts'
import type { Look } from './protocol.ts'

/** So many classes are shown. */
const most = 10

const percent = (share: number) => `${decimals(100 * share, 1)}%`

/** Shares of the classes, before and after something was switched off. */
export function Answers({ look, changed }: { readonly look: Look; readonly changed: boolean }) {
  const { before, shares } = look
  if (!before || !shares) return null
  const order = [...before.keys()]
  const few = order.length <= most
  const shown = few
    ? order
    : order.sort((a, b) => Math.max(before[b]!, shares[b]!) - Math.max(before[a]!, shares[a]!)).slice(0, most)
  const winner = bestOf(shares)
  return (
    <div class="inspect-answers">
      <p class="view-title">{few ? 'Answer' : `Answer: ${most} of ${before.length} classes`}</p>
      <table>
        <thead>
          <tr>
            <th scope="col">class</th>
            <td />
            <th scope="col">{changed ? 'before' : 'share'}</th>
            {changed && <th scope="col">now</th>}
          </tr>
        </thead>
        <tbody>
          {shown.map((c) => (
            <tr key={c} class={c === winner ? 'right' : ''}>
              <th scope="row">{c}</th>
              <td class="bars">
                {changed && <span class="was" style={{ width: `${100 * before[c]!}%` }} />}
                <span class="is" style={{ width: `${100 * shares[c]!}%` }} />
              </td>
              <td>{percent(before[c]!)}</td>
              {changed && <td>{percent(shares[c]!)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  )
}
