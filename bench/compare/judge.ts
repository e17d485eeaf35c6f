// What is right: float64, by the definitions, whose derivatives are checked against differences each time.
import { sizeOf } from '../../src/base/shape.ts'
import { compile } from '../../src/compile.ts'
import {
  averagePool,
  conv,
  convTranspose,
  fill,
  gradient,
  maxPool,
  mul,
  pad,
  placeholder,
  referenceValues,
  sum,
  type Tensor,
  tensor,
} from '../../src/graph/index.ts'
import { resize } from '../../src/nn/index.ts'
import { type Answer, type Case, operandsOf, type Quantity, quantitiesOf } from './cases.ts'

/** The case in our own words. */
function resultOf(item: Case, x: Tensor, w: Tensor): Tensor {
  switch (item.op) {
    case 'conv':
    case 'convTranspose': {
      const { stride, dilation, groups, padding, outputPadding, border } = item
      const options = { stride, dilation, groups, padding, paddingMode: border }
      return item.op === 'conv' ? conv(x, w, options) : convTranspose(x, w, { ...options, outputPadding })
    }
    case 'maxPool':
    case 'averagePool': {
      const { kernel, stride, dilation, padding, ceil: ceilMode, countPadding: countIncludePad } = item
      const options = { stride, dilation, padding, ceilMode }
      return item.op === 'maxPool'
        ? maxPool(x, kernel, options)
        : averagePool(x, kernel, { ...options, countIncludePad })
    }
    case 'pad':
      return pad(x, [[0, 0], ...item.padding, [0, 0]], { mode: ['zero', ...item.border, 'zero'] })
    case 'resize': {
      const { mode, alignCorners } = item
      return resize(x, item.size, mode === 'nearest' ? { mode } : { mode, alignCorners })
    }
  }
}

/** All quantities of a case as expressions of x and w. */
function expressions(item: Case, x: Tensor, w: Tensor): { y: Tensor; loss: Tensor; tensors: Tensor[] } {
  const { g, h } = operandsOf(item)
  const y = resultOf(item, x, w)
  const loss = sum(mul(y, tensor(g(sizeOf(y.shape)), y.shape)))
  const second = quantitiesOf(item).includes('second')
  if (!second) return { y, loss, tensors: [y, ...gradient(loss, [x])] }
  const [dx, dw] = gradient(loss, [x, w]) as [Tensor, Tensor]
  const [mixed] = gradient(sum(mul(dx, tensor(h, item.x))), [w]) as [Tensor]
  return { y, loss, tensors: [y, dx, dw, mixed] }
}

const kernelShape = (item: Case) => ('w' in item ? item.w : [1])

export type Judgement = ReadonlyMap<Quantity, Float64Array>

/** The shape of a case's result, [N, spatial..., C]. */
export const resultShape = (item: Case) => resultOf(item, fill(item.x, 0), fill(kernelShape(item), 0)).shape

/** The right numbers. */
export function judge(item: Case): Judgement {
  const { x: xs, w: ws } = operandsOf(item)
  const x = placeholder(item.x)
  const w = placeholder(kernelShape(item))
  const { loss, tensors } = expressions(item, x, w)
  const at = (values: ArrayLike<number>, kernel: ArrayLike<number>, of: readonly Tensor[]) =>
    referenceValues(
      of,
      new Map<Tensor, ArrayLike<number>>([
        [x, values],
        [w, kernel],
      ]),
    )
  const weights = ws.length > 0 ? ws : [0]
  const results = at(xs, weights, tensors)
  const judged = new Map(quantitiesOf(item).map((name, i) => [name, Float64Array.from(results[i]!)]))
  const step = 1e-6
  for (const [name, values] of [
    ['by input', xs],
    ['by kernel', ws],
  ] as const) {
    const slope = judged.get(name)
    if (!slope) continue
    const direction = values.map((_, i) => Math.sin(i + 1))
    const moved = (by: number) => Float64Array.from(values, (value, i) => value + by * direction[i]!)
    const loss2 = (by: number) =>
      name === 'by input' ? at(moved(by), weights, [loss])[0]![0]! : at(xs, moved(by), [loss])[0]![0]!
    const measured = (loss2(step) - loss2(-step)) / (2 * step)
    const expected = slope.reduce((total, value, i) => total + value * direction[i]!, 0)
    const size = slope.reduce((total, value) => total + Math.abs(value), 0)
    if (!(Math.abs(measured - expected) <= 1e-5 * size + 1e-9))
      throw new Error(`${item.id}: the judge's own derivative ${name} is ${expected}, differences say ${measured}`)
  }
  return judged
}

/** What fovea makes of it: one program of WebAssembly for all quantities. */
export async function foveaAnswer(item: Case): Promise<Answer> {
  const { x, w } = operandsOf(item)
  const names = quantitiesOf(item)
  const program = compile((a, b) => expressions(item, a, b).tensors, [item.x, kernelShape(item)], { target: 'wasm' })
  const results = await program(x, w.length > 0 ? w : [0])
  return Object.fromEntries(names.map((name, i) => [name, { values: results[i]! }]))
}
