import { fail } from '../base/errors.ts'

/** Sound: `samples` is `[T, channels]` row-major, -1 to 1. */
export interface Sound {
  /** Samples a second of each channel. */
  readonly rate: number
  readonly channels: number
  readonly samples: Float32Array
}

type Read = (view: DataView, at: number) => number

const pcm = 1
const float = 3
const extensible = 0xfffe

/** How one number is read, by format and bits. 8 bits are unsigned, others signed; little endian. */
const readers: Readonly<Record<string, Read>> = {
  [`${pcm} 8`]: (view, at) => (view.getUint8(at) - 128) / 2 ** 7,
  [`${pcm} 16`]: (view, at) => view.getInt16(at, true) / 2 ** 15,
  [`${pcm} 24`]: (view, at) => (view.getInt8(at + 2) * 2 ** 16 + view.getUint16(at, true)) / 2 ** 23,
  [`${pcm} 32`]: (view, at) => view.getInt32(at, true) / 2 ** 31,
  [`${float} 32`]: (view, at) => view.getFloat32(at, true),
  [`${float} 64`]: (view, at) => view.getFloat64(at, true),
}

/** The chunks of a RIFF file by name, the first of each; the last may be cut short. */
function chunksOf(view: DataView): Map<string, DataView> {
  const chunks = new Map<string, DataView>()
  for (let at = 12; at + 8 <= view.byteLength; ) {
    const name = nameAt(view, at)
    const size = view.getUint32(at + 4, true)
    const there = Math.min(size, view.byteLength - at - 8)
    if (!chunks.has(name)) chunks.set(name, new DataView(view.buffer, view.byteOffset + at + 8, there))
    // chunks begin at even places
    at += 8 + size + (size % 2)
  }
  return chunks
}

const nameAt = (view: DataView, at: number) =>
  String.fromCharCode(...new Uint8Array(view.buffer, view.byteOffset + at, 4))

/**
 * Reads a WAV file (RIFF WAVE: Microsoft and IBM, "Multimedia programming interface and data specifications 1.0",
 * 1991): whole numbers of 8, 16, 24 or 32 bits, or floats, uncompressed. `what` names it in errors.
 */
export function parseWav(bytes: Uint8Array, what = 'file'): Sound {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.length < 12 || nameAt(view, 0) !== 'RIFF' || nameAt(view, 8) !== 'WAVE')
    fail('parseWav', `${what} doesn't start as RIFF ... WAVE`, 'Give a WAV file')
  const chunks = chunksOf(view)
  const [format, data] = [chunks.get('fmt '), chunks.get('data')]
  if (!format || format.byteLength < 16 || !data)
    return fail('parseWav', `${what} has no ${data ? "whole 'fmt '" : "'data'"}`, 'It is damaged or cut short')
  const [channels, rate, bits] = [format.getUint16(2, true), format.getUint32(4, true), format.getUint16(14, true)]
  const tag = format.getUint16(0, true)
  const kind = tag === extensible && format.byteLength >= 26 ? format.getUint16(24, true) : tag
  const read = readers[`${kind} ${bits}`]
  if (!read || channels < 1 || rate < 1)
    return fail(
      'parseWav',
      `${what} is of format ${kind} with ${bits} bits, ${channels} channels, ${rate} Hz`,
      'Convert it to uncompressed 16 bits',
    )
  const size = bits / 8
  const count = Math.floor(data.byteLength / size / channels) * channels
  return { rate, channels, samples: Float32Array.from({ length: count }, (_, i) => read(data, i * size)) }
}
