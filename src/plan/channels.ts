import { affine, loop, type Statements } from '../kernel/builder.ts'
import type { Affine, Lanes } from '../kernel/ir.ts'

/**
 * A loop over vectors of `channels` neighbouring elements: `body(place, count)` once in a loop for whole vectors and
 * once for the `count` < lanes that remain, which are loaded as a whole vector (see `slack`) and stored in part.
 */
export function channelVectors(
  channels: number,
  lanes: Lanes,
  index: string,
  body: (channel: Affine, count: number) => Statements,
): Statements {
  const whole = channels - (channels % lanes)
  const parts: Statements[] = []
  if (whole > lanes) parts.push(loop(index, 0, whole, lanes, body(affine(0, { [index]: 1 }), lanes)))
  else if (whole === lanes) parts.push(body(affine(0), lanes))
  if (whole < channels) parts.push(body(affine(whole), channels - whole))
  return parts
}
