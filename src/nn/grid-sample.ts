import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { abs, add, div, equal, floor, less, maximum, minimum, mul, sub } from '../graph/map.ts'
import { slice } from '../graph/pad.ts'
import { sum } from '../graph/reduce.ts'
import { reshape } from '../graph/reshape.ts'
import { type Tensor, tensor } from '../graph/tensor.ts'
import { checkNames } from './checks.ts'
import { pick } from './options.ts'

/** How values between and outside pixels are found. */
export interface GridSampleOptions {
  /** Default 'bilinear'. */
  readonly mode?: 'bilinear' | 'nearest'
  /** What stands outside the image: zeros, its edge, or its mirror image. Default 'zeros'. */
  readonly padding?: 'zeros' | 'border' | 'reflection'
  /** -1 and 1 are the centres of the outermost pixels, instead of their outer edges. Default false. */
  readonly alignCorners?: boolean
}

type Place = (at: Tensor, size: number, alignCorners: boolean) => Tensor

const toBorder: Place = (at, size) => minimum(maximum(at, 0), size - 1)

/** Folds the line at both ends, as often as it takes. */
const toMirror: Place = (at, size, alignCorners) => {
  const span = alignCorners ? size - 1 : size
  if (span === 0) return mul(at, 0)
  const low = alignCorners ? 0 : -0.5
  const distance = abs(sub(at, low))
  const within = sub(distance, mul(2 * span, floor(div(distance, 2 * span))))
  return toBorder(add(minimum(within, sub(2 * span, within)), low), size, alignCorners)
}

const places: Readonly<Record<string, Place>> = { zeros: (at) => at, border: toBorder, reflection: toMirror }

const weights: Readonly<Record<string, (at: Tensor, indices: Tensor) => Tensor>> = {
  bilinear: (at, indices) => maximum(sub(1, abs(sub(at, indices))), 0),
  // halfway between two pixels the even one counts
  nearest: (at, indices) => {
    const distance = abs(sub(at, indices))
    const even = equal(indices, mul(2, floor(mul(indices, 0.5))))
    return maximum(less(distance, 0.5), mul(equal(distance, 0.5), even))
  },
}

/**
 * Reads an image at any points, as PyTorch's grid_sample does (Jaderberg et al., "Spatial transformer networks", 2015).
 * Each point weighs all rows and columns, so it costs H * W * C multiplications: meant for small images.
 * @param x [N, H, W, C]
 * @param grid [N, H', W', 2] of (column, row), from -1 to 1 across the image
 * @returns [N, H', W', C]
 */
export function gridSample(x: Tensor, grid: Tensor, options: GridSampleOptions = {}): Tensor {
  checkNames('gridSample', options, ['mode', 'padding', 'alignCorners'])
  const { mode = 'bilinear', padding = 'zeros', alignCorners = false } = options
  const place = pick('gridSample', 'padding', places, padding)
  const weigh = pick('gridSample', 'mode', weights, mode)
  if (x.shape.length !== 4 || grid.shape.length !== 4 || grid.shape[3] !== 2 || grid.shape[0] !== x.shape[0])
    fail(
      'gridSample',
      `image ${showShape(x.shape)} and grid ${showShape(grid.shape)}`,
      "Give [N, H, W, C] and [N, H', W', 2] with the same N",
    )
  const [n, height, width, channels] = x.shape as [number, number, number, number]
  const points = grid.shape[1]! * grid.shape[2]!
  /** [N, points]: row or column of each point, in pixels. */
  const pixels = (part: number, size: number) => {
    const one = reshape(slice(grid, [0, 0, 0, part], [n, grid.shape[1]!, grid.shape[2]!, part + 1]), [n, points])
    const scaled = alignCorners ? mul(add(one, 1), (size - 1) / 2) : sub(mul(add(one, 1), size / 2), 0.5)
    return place(scaled, size, alignCorners)
  }
  const values = readPixels(x, pixels(1, height), pixels(0, width), weigh)
  return reshape(values, [...grid.shape.slice(0, 3), channels])
}

/**
 * Reads an image between its pixels; what is outside counts as 0.
 * @param x [N, H, W, C]
 * @param rows [N, points], from 0 to H - 1
 * @param columns [N, points], from 0 to W - 1
 * @returns [N, points, C]
 */
export function readPixels(x: Tensor, rows: Tensor, columns: Tensor, weigh = weights.bilinear!): Tensor {
  const [n, height, width, channels] = x.shape as [number, number, number, number]
  const points = rows.shape[1]!
  /** [N, points, size]: how much of each row or column a point takes. */
  const shares = (at: Tensor, size: number) =>
    weigh(reshape(at, [n, points, 1]), tensor(Float32Array.from({ length: size }, (_, i) => i)))
  const ofRows = reshape(shares(rows, height), [n, points, height, 1])
  const lines = sum(mul(ofRows, reshape(x, [n, 1, height, width * channels])), [2])
  const ofColumns = reshape(shares(columns, width), [n, points, width, 1])
  return sum(mul(ofColumns, reshape(lines, [n, points, width, channels])), [2])
}
