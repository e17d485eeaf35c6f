import { toHalf } from '../../formats/onnx/elements.ts'
import { loadModel, type Model, readSafetensors } from '../../nn/index.ts'

/** Tensors with fewer values keep float32: biases, running statistics and `rng`, which halves would harm. */
const fewest = 1024

/** A model's safetensors file with its kernels in half precision: half as large, read like any other. */
export function halfBytes(model: Model): Uint8Array {
  const { tensors, metadata } = readSafetensors(model.toBytes())
  let end = 0
  const parts = [...tensors].map(([name, { shape, data }]) => {
    const values = Float32Array.from(data)
    const half = values.length >= fewest
    const content = half ? Uint16Array.from(values, toHalf) : values
    const begin = end
    end += content.byteLength
    const entry = { dtype: half ? 'F16' : 'F32', shape, data_offsets: [begin, end] }
    return { name, entry, content: new Uint8Array(content.buffer) }
  })
  const entries = parts.map(({ name, entry }) => [name, entry] as const)
  const header = { __metadata__: Object.fromEntries(metadata), ...Object.fromEntries(entries) }
  const text = new TextEncoder().encode(JSON.stringify(header))
  const file = new Uint8Array(8 + text.length + end)
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true)
  file.set(text, 8)
  for (const { entry, content } of parts) file.set(content, 8 + text.length + entry.data_offsets[0]!)
  return file
}

/** The model as it is after its kernels were rounded to half precision. */
export const asHalves = (model: Model): Model => loadModel(halfBytes(model))
