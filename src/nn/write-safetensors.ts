import type { Shape } from '../base/shape.ts'

// The format is described in safetensors.ts, which pages that only write needn't load.

/** Writes float32 tensors, in the order given, and texts as a safetensors file. */
export function writeSafetensors(
  tensors: Iterable<readonly [name: string, tensor: { readonly shape: Shape; readonly data: Float32Array }]>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array<ArrayBuffer> {
  const header: [string, unknown][] = [['__metadata__', metadata]]
  const list = [...tensors]
  let end = 0
  for (const [name, { shape, data }] of list) {
    const begin = end
    end += data.length * 4
    header.push([name, { dtype: 'F32', shape, data_offsets: [begin, end] }])
  }
  const text = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)))
  // Spaces after the header let the data start at a multiple of 8.
  const length = Math.ceil(text.length / 8) * 8
  const bytes = new Uint8Array(8 + length + end).fill(32, 8 + text.length, 8 + length)
  new DataView(bytes.buffer).setBigUint64(0, BigInt(length), true)
  bytes.set(text, 8)
  let at = 8 + length
  for (const [, { data }] of list) {
    bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), at)
    at += data.byteLength
  }
  return bytes
}
