/** A buffer in the arena: needed from step `first` to step `last`, both included. */
export interface Lifetime {
  readonly bytes: number
  readonly first: number
  readonly last: number
}

const alignment = 64
/** Room after every buffer for vector loads past its end. */
const guard = 16

/** Offsets in one arena such that no two buffers that live at once overlap; large ones first, each as low as fits. */
export function placeBuffers(buffers: readonly Lifetime[]): { offsets: number[]; bytes: number } {
  const size = (buffer: Lifetime) => Math.ceil((buffer.bytes + guard) / alignment) * alignment
  const offsets = new Array<number>(buffers.length).fill(0)
  const placed: number[] = []
  let bytes = 0
  const order = [...buffers.keys()].sort((a, b) => buffers[b]!.bytes - buffers[a]!.bytes || a - b)
  for (const i of order) {
    const buffer = buffers[i]!
    const rivals = placed
      .filter((j) => buffers[j]!.first <= buffer.last && buffers[j]!.last >= buffer.first)
      .sort((a, b) => offsets[a]! - offsets[b]!)
    let at = 0
    for (const j of rivals) {
      if (offsets[j]! - at >= size(buffer)) break
      at = Math.max(at, offsets[j]! + size(buffers[j]!))
    }
    offsets[i] = at
    placed.push(i)
    bytes = Math.max(bytes, at + size(buffer))
  }
  return { offsets, bytes }
}
