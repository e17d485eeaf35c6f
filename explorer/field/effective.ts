import { abs, add, averagePool, compile, conv, gradient, maxPool, mean, mul, relu, sum, type Tensor } from 'fovea'
import { chance } from '../train/chance.ts'
import { type Layer, outputsOf, planOf, side } from './layers.ts'
import type { FieldState } from './state.ts'

const channels = 8
/** Multiply-adds of one answer, about: fewer pictures are averaged where a network costs more. */
const budget = 4e9

type Network = Pick<FieldState, 'l' | 'w'>

/** Pictures averaged: 32, or 16, 8, 4 where that is more than the budget. Without ReLU and max pooling all pictures give the same. */
export function picturesFor({ l, w }: Network): number {
  if (w === 'ones') return 1
  const cost = planOf(l).reduce((total, { spec, layer, times }) => {
    const within = layer.kind === 'conv' || layer.kind === 'residual' ? channels : 1
    return total + 3 * times * spec.output[0]! ** 2 * layer.kernel ** 2 * channels * within
  }, 1)
  return [32, 16, 8].find((count) => count * cost <= budget) ?? 4
}

/** Kernels [k, k, in, out] that the layers take, in order; pooling has none unless it counts paths. */
export function kernelShapes({ l, w }: Network): number[][] {
  const width = w === 'ones' ? 1 : channels
  let within = 1
  return l.flatMap(({ kind, kernel }) => {
    const from = within
    if (kind === 'conv') within = width
    if (kind === 'conv') return [[kernel, kernel, from, within]]
    if (kind === 'residual') return [1, 2].map(() => [kernel, kernel, within, within])
    return w === 'ones' ? [[kernel, kernel, 1, 1]] : []
  })
}

/** Ones, or normal numbers of the variance that He et al. (2015) found for ReLU: 2 / (k k in). */
export function kernelValues(network: Network, seed: number): Float32Array[] {
  const random = chance(seed)
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
  return kernelShapes(network).map((shape) => {
    const values = new Float32Array(shape.reduce((product, n) => product * n, 1))
    if (network.w === 'ones') return values.fill(1)
    const deviation = Math.sqrt(2 / (shape[0]! * shape[1]! * shape[2]!))
    return values.map(() => deviation * normal())
  })
}

/** The network's last layer on x [N, side, side, 1]; there is no ReLU after it. */
function apply({ l, w }: Network, x: Tensor, kernels: readonly Tensor[]): Tensor {
  const rest = [...kernels]
  const active = (h: Tensor, last: boolean) => (w === 'relu' && !last ? relu(h) : h)
  return l.reduce((h, layer: Layer, i) => {
    const { kind, kernel, stride, dilation } = layer
    const options = { stride, dilation, padding: 'same' } as const
    const last = i === l.length - 1
    if (kind === 'residual') {
      const inner = active(conv(h, rest.shift()!, options), false)
      return active(add(h, conv(inner, rest.shift()!, options)), last)
    }
    if (kind === 'conv') return active(conv(h, rest.shift()!, options), last)
    // a window that adds up counts its paths
    if (w === 'ones') return conv(h, rest.shift()!, options)
    return kind === 'max' ? maxPool(h, kernel, options) : averagePool(h, kernel, options)
  }, x)
}

/** How often the weights are drawn anew: as often as divides the pictures, up to 16 times. */
export const drawsFor = (network: Network, pictures: number) =>
  network.w === 'ones' ? 1 : [16, 8, 4, 2, 1].find((draws) => pictures % draws === 0)!

/**
 * The mean over pictures and draws of the weights of |dy/dx|, y being the sum over channels of one unit of the last
 * layer [side * side]. Each draw has its own share of the pictures.
 * @param pictures [N, side, side, 1], as many as `picturesFor` says
 * @param unit row and column of the unit
 */
export async function effectiveField(
  network: Network,
  pictures: Float32Array,
  unit: readonly [number, number],
): Promise<Float32Array> {
  const outputs = outputsOf(planOf(network.l))
  const count = pictures.length / (side * side)
  const draws = drawsFor(network, count)
  const batch = count / draws
  const chosen = new Float32Array(outputs * outputs)
  chosen[unit[0] * outputs + unit[1]] = 1
  const run = compile(
    (x, mask, kernels) => {
      const y = apply(network, x, kernels)
      const [dx] = gradient(sum(mul(y, mask)), [x])
      return mean(abs(dx!), [0, 3])
    },
    [[batch, side, side, 1], [1, outputs, outputs, 1], kernelShapes(network)],
  )
  const field = new Float32Array(side * side)
  for (let draw = 0; draw < draws; draw++) {
    const own = pictures.subarray(draw * batch * side * side, (draw + 1) * batch * side * side)
    const part = await run(own, chosen, kernelValues(network, draw + 1))
    part.forEach((value, i) => {
      field[i]! += value / draws
    })
  }
  return field
}
