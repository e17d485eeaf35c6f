import type { Digits } from './train.ts'

/** Segments of a pocket calculator's digits: top, middle, bottom, upper left, upper right, lower left, lower right. */
const segments = [
  '1011111',
  '0000101',
  '1110110',
  '1110101',
  '0101101',
  '1111001',
  '1111011',
  '1000101',
  '1111111',
  '1111101',
]
/** Each segment's corner and size in pixels: x, y, width, height. */
const bars = [
  [0, 0, 10, 2],
  [0, 8, 10, 2],
  [0, 16, 10, 2],
  [0, 0, 2, 10],
  [8, 0, 2, 10],
  [0, 8, 2, 10],
  [8, 8, 2, 10],
]

/** `count` digits of 28x28, class after class, each at a place of its own. */
export function digits(count: number): Digits {
  const x = new Float32Array(count * 28 * 28)
  const y = Float32Array.from({ length: count }, (_, i) => i % 10)
  for (let i = 0; i < count; i++) {
    const left = 5 + ((i * 7) % 9)
    const top = 2 + ((i * 3) % 7)
    bars.forEach(([dx, dy, width, height], bar) => {
      if (segments[i % 10][bar] === '0') return
      for (let row = 0; row < height; row++) {
        const from = (i * 28 + top + dy + row) * 28 + left + dx
        x.fill(1, from, from + width)
      }
    })
  }
  return { x, y }
}

/** How many of the results [N, 10] are largest at their digit's class. */
export function rightOnes(results: Float32Array, { y }: Digits): number {
  return [...y].filter((label, i) => {
    const scores = results.subarray(i * 10, i * 10 + 10)
    return scores.indexOf(Math.max(...scores)) === label
  }).length
}
