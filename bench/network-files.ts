import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { gunzipSync } from 'node:zlib'

export interface NetworkFile {
  readonly name: string
  readonly path: string
}

/** The networks of a folder: files `*.onnx` and `*.onnx.gz`, and folders `light_*` or `light__*` with a model.onnx. */
export function networkFiles(folder: string): NetworkFile[] {
  return readdirSync(folder)
    .sort()
    .flatMap((entry) => {
      const inside = join(folder, entry, 'model.onnx')
      if (/^(light__)?light_/.test(entry) && existsSync(inside))
        return [{ name: entry.replace(/^light__/, ''), path: inside }]
      const path = join(folder, entry)
      return /\.onnx(\.gz)?$/.test(entry) ? [{ name: basename(entry).replace(/\.onnx(\.gz)?$/, ''), path }] : []
    })
}

/** A model's bytes, unpacked. */
export const unpackedModel = (path: string): Uint8Array => {
  const bytes = readFileSync(path)
  return path.endsWith('.gz') ? gunzipSync(bytes) : bytes
}

/** The bytes of a length-delimited field of a protocol buffer, or undefined. */
function fieldOf(message: Uint8Array, wanted: number): Uint8Array | undefined {
  let at = 0
  const varint = () => {
    let value = 0
    for (let scale = 1; ; scale *= 128) {
      const byte = message[at++]!
      value += (byte % 128) * scale
      if (byte < 128) return value
    }
  }
  while (at < message.length) {
    const tag = varint()
    if (tag % 8 === 2) {
      const length = varint()
      if (tag >> 3 === wanted) return message.subarray(at, at + length)
      at += length
    } else if (tag % 8 === 0) varint()
    else at += tag % 8 === 1 ? 8 : 4
  }
  return undefined
}

/** The numbers of `output_0.pb` (a TensorProto of floats, raw or packed) beside a model, if there is one. */
export function storedOutput(path: string): Float32Array | undefined {
  const file = join(dirname(path), 'output_0.pb')
  if (!existsSync(file)) return undefined
  const message = readFileSync(file)
  const raw = fieldOf(message, 9) ?? fieldOf(message, 4)
  // a copy: its bytes may begin anywhere in the file
  return raw && new Float32Array(Uint8Array.from(raw).buffer)
}
