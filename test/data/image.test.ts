import { describe, expect, test } from 'vitest'
import { type Image, resize, withChannels } from '../../src/data/image.ts'

const image = (width: number, height: number, channels: number, ...data: number[]): Image => ({
  width,
  height,
  channels,
  data: Uint8Array.from(data),
})

describe('withChannels', () => {
  test('grey is the weighted sum of red, green and blue', () => {
    const colours = image(5, 1, 3, 255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255, 7, 7, 7)
    expect([...withChannels(colours, 1).data]).toEqual([76, 150, 29, 255, 7])
  })

  test('colour from grey repeats it, alpha is made or kept', () => {
    expect([...withChannels(image(2, 1, 1, 5, 6), 3).data]).toEqual([5, 5, 5, 6, 6, 6])
    expect([...withChannels(image(1, 1, 3, 1, 2, 3), 4).data]).toEqual([1, 2, 3, 255])
    expect([...withChannels(image(1, 1, 2, 9, 40), 4).data]).toEqual([9, 9, 9, 40])
  })

  test('alpha that is dropped lays the picture over white', () => {
    expect([...withChannels(image(3, 1, 2, 0, 0, 0, 255, 0, 51), 1).data]).toEqual([255, 0, 204])
    expect([...withChannels(image(1, 1, 4, 0, 100, 255, 102), 3).data]).toEqual([153, 193, 255])
  })

  test('the same number changes nothing, an odd one is refused', () => {
    const grey = image(1, 1, 1, 8)
    expect(withChannels(grey, 1)).toBe(grey)
    expect(() => withChannels(grey, 2 as 1)).toThrow(/withChannels: channels is 2/)
    expect(() => withChannels(image(2, 1, 1, 8), 3)).toThrow(/1 bytes are not a picture/)
  })
})

describe('resize', () => {
  test('shrinking averages areas, also broken ones', () => {
    expect([...resize(image(4, 2, 1, 0, 20, 100, 100, 40, 60, 200, 200), 2, 1).data]).toEqual([30, 150])
    expect([...resize(image(3, 1, 1, 0, 90, 30), 2, 1).data]).toEqual([30, 50])
  })

  test('enlarging interpolates between pixel centres', () => {
    expect([...resize(image(2, 1, 1, 0, 100), 4, 1).data]).toEqual([0, 25, 75, 100])
    expect([...resize(image(1, 2, 2, 0, 8, 100, 16), 1, 4).data]).toEqual([0, 8, 25, 10, 75, 14, 100, 16])
  })

  test('one axis can grow while the other shrinks', () => {
    expect(resize(image(2, 2, 1, 0, 100, 20, 120), 4, 1)).toEqual(image(4, 1, 1, 10, 35, 85, 110))
  })

  test('an even picture stays even at any size', () => {
    const grey = image(7, 5, 1, ...Array(35).fill(201))
    for (const size of [1, 2, 3, 6, 8, 11, 50])
      expect(new Set(resize(grey, size, 2 * size).data)).toEqual(new Set([201]))
  })

  test.each([0, -3, 1.5, Number.NaN])('refuses size %d', (size) => {
    expect(() => resize(image(1, 1, 1, 0), size, 1)).toThrow(`resize: size is ${size}x1`)
    expect(() => resize(image(1, 1, 1, 0), 1, size)).toThrow(`resize: size is 1x${size}`)
  })
})
