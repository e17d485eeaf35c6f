import { describe, expect, test } from 'vitest'
import { referenceValues } from '../../src/graph/reference.ts'
import { tensor } from '../../src/graph/tensor.ts'
import { type GridSampleOptions, gridSample } from '../../src/nn/index.ts'
import { normals } from './layer-check.ts'

const [height, width, channels] = [3, 4, 2]
const image = normals(1, height * width * channels)
const points = Float32Array.from({ length: 40 }, (_, i) => 1.7 * normals(2, 40)[i]!)

const mirrored = (at: number, low: number, high: number): number => {
  if (low === high) return low
  if (at < low) return mirrored(2 * low - at, low, high)
  return at > high ? mirrored(2 * high - at, low, high) : at
}

/** Where a coordinate from -1 to 1 lies among `size` pixels. */
function place(at: number, size: number, { padding = 'zeros', alignCorners = false }: GridSampleOptions): number {
  const scaled = alignCorners ? ((at + 1) / 2) * (size - 1) : ((at + 1) * size - 1) / 2
  const [low, high] = alignCorners ? [0, size - 1] : [-0.5, size - 0.5]
  if (padding === 'zeros') return scaled
  return Math.min(Math.max(padding === 'reflection' ? mirrored(scaled, low, high) : scaled, 0), size - 1)
}

const pixel = (row: number, column: number, channel: number) =>
  row >= 0 && row < height && column >= 0 && column < width ? image[(row * width + column) * channels + channel]! : 0

/** One point by the four pixels around it. */
function sampled(x: number, y: number, channel: number, options: GridSampleOptions): number {
  const [column, row] = [place(x, width, options), place(y, height, options)]
  if (options.mode === 'nearest') return pixel(Math.round(row), Math.round(column), channel)
  const [top, left] = [Math.floor(row), Math.floor(column)]
  const [down, right] = [row - top, column - left]
  return (
    (1 - down) * (1 - right) * pixel(top, left, channel) +
    (1 - down) * right * pixel(top, left + 1, channel) +
    down * (1 - right) * pixel(top + 1, left, channel) +
    down * right * pixel(top + 1, left + 1, channel)
  )
}

const all: GridSampleOptions[] = (['bilinear', 'nearest'] as const).flatMap((mode) =>
  (['zeros', 'border', 'reflection'] as const).flatMap((padding) =>
    [false, true].map((alignCorners) => ({ mode, padding, alignCorners })),
  ),
)

describe('gridSample', () => {
  test.each(all)('$mode, $padding, alignCorners $alignCorners: the pixels around each point', (options) => {
    const x = tensor(image, [1, height, width, channels])
    const grid = tensor(points, [1, 4, 5, 2])
    const [y] = referenceValues([gridSample(x, grid, options)])
    for (let i = 0; i < 20; i++)
      for (let c = 0; c < channels; c++)
        expect(y![i * channels + c]).toBeCloseTo(sampled(points[2 * i]!, points[2 * i + 1]!, c, options), 5)
  })

  test('each sample has a grid of its own', () => {
    const x = tensor([1, 2, 3, 4], [2, 1, 2, 1])
    const grid = tensor([-0.5, 0, 0.5, 0], [2, 1, 1, 2])
    expect([...referenceValues([gridSample(x, grid)])[0]!]).toEqual([1, 4])
  })

  const x = tensor([1, 2], [1, 1, 2, 1])
  test.each([
    ['mode', { mode: 'bicubic' as 'nearest' }, "gridSample: there is no mode 'bicubic'. Use one of bilinear, nearest."],
    ['padding', { padding: 'zero' as 'zeros' }, "there is no padding 'zero'. Use one of zeros, border, reflection."],
    ['name', { align: true } as GridSampleOptions, "option 'align' is unknown"],
  ])('unknown %s', (_, options, message) => {
    expect(() => gridSample(x, tensor([0, 0], [1, 1, 1, 2]), options)).toThrow(message)
  })

  test('shapes that do not fit', () => {
    expect(() => gridSample(x, tensor([0, 0], [1, 1, 2, 1]))).toThrow(
      "gridSample: image [1, 1, 2, 1] and grid [1, 1, 2, 1]. Give [N, H, W, C] and [N, H', W', 2] with the same N.",
    )
  })
})
