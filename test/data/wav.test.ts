import { describe, expect, test } from 'vitest'
import { parseWav } from '../../src/data/wav.ts'

interface Header {
  readonly tag?: number
  readonly channels?: number
  readonly bits: number
  /** What the chunk says of its length, if it isn't the truth. */
  readonly claimed?: number
}

/** A WAV file with a chunk of odd length before its samples. */
function wav(data: Uint8Array, { tag = 1, channels = 1, bits, claimed = data.length }: Header): Uint8Array {
  const bytes = new Uint8Array(12 + 24 + 8 + 4 + 8 + data.length)
  const view = new DataView(bytes.buffer)
  const name = (at: number, text: string) => bytes.set(new TextEncoder().encode(text), at)
  name(0, 'RIFF')
  name(8, 'WAVE')
  name(12, 'fmt ')
  view.setUint32(16, 16, true)
  view.setUint16(20, tag, true)
  view.setUint16(22, channels, true)
  view.setUint32(24, 8000, true)
  view.setUint16(34, bits, true)
  name(36, 'odd ')
  view.setUint32(40, 3, true)
  name(48, 'data')
  view.setUint32(52, claimed, true)
  bytes.set(data, 56)
  return bytes
}

const bytesOf = (values: ArrayBufferView) => new Uint8Array(values.buffer)

describe('parseWav', () => {
  test('16 bits, two channels', () => {
    const { rate, channels, samples } = parseWav(
      wav(bytesOf(Int16Array.of(0, -32768, 16384, 8192)), { channels: 2, bits: 16 }),
    )
    expect([rate, channels, ...samples]).toEqual([8000, 2, 0, -1, 0.5, 0.25])
  })

  test('8, 24 and 32 bits, floats', () => {
    expect([...parseWav(wav(Uint8Array.of(0, 128, 192), { bits: 8 })).samples]).toEqual([-1, 0, 0.5])
    expect([...parseWav(wav(Uint8Array.of(0, 0, 64, 0, 0, 128), { bits: 24 })).samples]).toEqual([0.5, -1])
    expect([...parseWav(wav(bytesOf(Int32Array.of(-(2 ** 30))), { bits: 32 })).samples]).toEqual([-0.5])
    expect([...parseWav(wav(bytesOf(Float32Array.of(0.75)), { tag: 3, bits: 32 })).samples]).toEqual([0.75])
  })

  test('a length beyond the end of the file takes what is there', () => {
    const { samples } = parseWav(wav(bytesOf(Int16Array.of(16384)), { bits: 16, claimed: 2 ** 32 - 1 }))
    expect([...samples]).toEqual([0.5])
  })

  test('errors say what is wrong', () => {
    expect(() => parseWav(Uint8Array.of(1, 2), 'a.wav')).toThrow("parseWav: a.wav doesn't start as RIFF ... WAVE. Give")
    expect(() => parseWav(wav(new Uint8Array(2), { bits: 16 }).slice(0, 48))).toThrow("file has no 'data'")
    expect(() => parseWav(wav(new Uint8Array(2), { tag: 2, bits: 4 }))).toThrow(
      'is of format 2 with 4 bits, 1 channels',
    )
    expect(() => parseWav(wav(new Uint8Array(2), { bits: 16, channels: 0 }))).toThrow('0 channels')
  })
})
