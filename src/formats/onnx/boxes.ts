import { type Shape, sizeOf } from '../../base/shape.ts'
import { countOf, type Fixed, fixed } from './elements.ts'
import type { HostOps, Use } from './node.ts'
import { alone } from './places.ts'

type Box = readonly [y0: number, x0: number, y1: number, x1: number]

function overlap(a: Box, b: Box): number {
  const [height, width] = [0, 1].map((i) => Math.max(Math.min(a[i + 2], b[i + 2]) - Math.max(a[i], b[i]), 0))
  const both = height * width
  const area = (box: Box) => (box[2] - box[0]) * (box[3] - box[1])
  const either = area(a) + area(b) - both
  return both > 0 && either > 0 ? both / either : 0
}

/** Boxes with the best scores, none of which covers much of a better one: [batch, class, box] each. */
function nonMaxSuppression(use: Use): readonly Fixed[] {
  const [boxes, scores] = [use.fixed(0), use.fixed(1)]
  const [batch, classes, count] = scores.shape
  if (boxes.shape.length !== 3 || scores.shape.length !== 3 || boxes.shape[1] !== count || boxes.shape[2] !== 4)
    use.fail(`boxes [${boxes.shape}] and scores [${scores.shape}]`, 'Check the model')
  const most = use.numbers(2, [0])[0] ?? 0
  const shared = use.numbers(3, [0])[0] ?? 0
  const least = use.has(4) ? (use.numbers(4)[0] ?? -Infinity) : -Infinity
  const centred = use.int('center_point_box', 0) === 1
  const boxAt = (n: number, i: number): Box => {
    const [a, b, c, d] = boxes.data.subarray((n * count + i) * 4, (n * count + i) * 4 + 4)
    if (centred) return [b - d / 2, a - c / 2, b + d / 2, a + c / 2]
    return [Math.min(a, c), Math.min(b, d), Math.max(a, c), Math.max(b, d)]
  }
  const chosen: number[] = []
  for (let n = 0; n < batch; n++) {
    const all = Array.from({ length: count }, (_, i) => boxAt(n, i))
    for (let c = 0; c < classes; c++) {
      const score = (i: number) => scores.data[(n * classes + c) * count + i]
      const order = all.map((_, i) => i).filter((i) => score(i) > least)
      order.sort((a, b) => score(b) - score(a) || a - b)
      const kept: number[] = []
      for (const i of order) {
        if (kept.length >= most) break
        if (kept.every((k) => overlap(all[i], all[k]) <= shared)) kept.push(i)
      }
      for (const i of kept) chosen.push(n, c, i)
    }
  }
  return [fixed('int64', [chosen.length / 3, 3], chosen)]
}

/** Weights of the four pixels around a point of an image; none outside. */
function corners(y: number, x: number, height: number, width: number): { place: number; weight: number }[] {
  if (y < -1 || y > height || x < -1 || x > width) return []
  const axis = (at: number, size: number) => {
    const low = Math.min(Math.floor(Math.max(at, 0)), size - 1)
    const share = low === size - 1 ? 0 : Math.max(at, 0) - low
    return { low, high: Math.min(low + 1, size - 1), share }
  }
  const [rows, columns] = [axis(y, height), axis(x, width)]
  return [
    { place: rows.low * width + columns.low, weight: (1 - rows.share) * (1 - columns.share) },
    { place: rows.low * width + columns.high, weight: (1 - rows.share) * columns.share },
    { place: rows.high * width + columns.low, weight: rows.share * (1 - columns.share) },
    { place: rows.high * width + columns.high, weight: rows.share * columns.share },
  ]
}

/** Regions of images brought to one size, read between pixels (He et al. 2017, "Mask R-CNN"). */
function roiAlign(use: Use): readonly Fixed[] {
  const [x, rois, batches] = [use.fixed(0), use.fixed(1), use.fixed(2)]
  const [, channels, height, width] = x.shape
  const [rows, columns] = [use.int('output_height', 1), use.int('output_width', 1)]
  const scale = use.float('spatial_scale', 1)
  const usual = use.opset < 16 ? 'output_half_pixel' : 'half_pixel'
  const half = use.text('coordinate_transformation_mode', usual) === 'half_pixel'
  const largest = use.text('mode', 'avg') === 'max'
  const asked = use.int('sampling_ratio', 0)
  const count = rois.shape[0]
  const shape = [count, channels, rows, columns]
  const y = new Float32Array(countOf(use.node.title, shape))
  for (let r = 0; r < count; r++) {
    const [x0, y0, x1, y1] = Array.from(rois.data.subarray(4 * r, 4 * r + 4), (v) => v * scale - (half ? 0.5 : 0))
    const size = (v: number) => (half ? v : Math.max(v, 1))
    const [binHeight, binWidth] = [size(y1 - y0) / rows, size(x1 - x0) / columns]
    const samples = [binHeight, binWidth].map((bin) => (asked > 0 ? asked : Math.ceil(bin)))
    if (samples[0] * samples[1] * rows * columns > 2 ** 24) use.fail('a region is too large', 'Check the regions')
    for (let i = 0; i < rows; i++)
      for (let j = 0; j < columns; j++) {
        const points = Array.from({ length: samples[0] * samples[1] }, (_, s) => {
          const [a, b] = [Math.floor(s / samples[1]), s % samples[1]]
          const row = y0 + i * binHeight + ((a + 0.5) * binHeight) / samples[0]
          return corners(row, x0 + j * binWidth + ((b + 0.5) * binWidth) / samples[1], height, width)
        })
        for (let c = 0; c < channels; c++) {
          const plane = (batches.data[r] * channels + c) * height * width
          const parts = points.map((point) => point.map(({ place, weight }) => weight * x.data[plane + place]))
          const to = ((r * channels + c) * rows + i) * columns + j
          // the largest of weighed pixels, not of values between them: so ONNX defines it
          if (largest) y[to] = parts.length > 0 ? Math.max(...parts.map((p) => (p.length > 0 ? Math.max(...p) : 0))) : 0
          else y[to] = parts.flat().reduce((sum, v) => sum + v, 0) / Math.max(points.length, 1)
        }
      }
  }
  return [fixed(x.type, shape, y)]
}

/** Largest elements of parts of regions (Girshick 2015, "Fast R-CNN"); regions are [image, x0, y0, x1, y1]. */
function maxRoiPool(use: Use): readonly Fixed[] {
  const [x, rois] = [use.fixed(0), use.fixed(1)]
  const [, channels, height, width] = x.shape
  const [rows, columns] = use.ints('pooled_shape') ?? use.fail("attribute 'pooled_shape' is missing", 'Check the file')
  const scale = use.float('spatial_scale', 1)
  const shape: Shape = [rois.shape[0], channels, rows, columns]
  const y = new Float32Array(countOf(use.node.title, shape))
  for (let to = 0; to < sizeOf(shape); to++) {
    const [j, i] = [to % columns, Math.floor(to / columns) % rows]
    const [c, r] = [Math.floor(to / (rows * columns)) % channels, Math.floor(to / (rows * columns * channels))]
    const [image, ...ends] = rois.data.subarray(5 * r, 5 * r + 5)
    const [x0, y0, x1, y1] = ends.map((v) => Math.round(v * scale))
    const range = (k: number, start: number, end: number, bins: number, size: number) => {
      const bin = Math.max(end - start + 1, 1) / bins
      const inside = (v: number) => Math.min(Math.max(v + start, 0), size)
      return [inside(Math.floor(k * bin)), inside(Math.ceil((k + 1) * bin))]
    }
    const [top, bottom] = range(i, y0, y1, rows, height)
    const [left, right] = range(j, x0, x1, columns, width)
    let best = top < bottom && left < right ? -Infinity : 0
    for (let a = top; a < bottom; a++)
      for (let b = left; b < right; b++)
        best = Math.max(best, x.data[((image * channels + c) * height + a) * width + b])
    y[to] = best
  }
  return [fixed(x.type, shape, y)]
}

export const hostBoxOps: HostOps = {
  MaxRoiPool: alone(maxRoiPool),
  NonMaxSuppression: alone(nonMaxSuppression),
  RoiAlign: alone(roiAlign),
}
