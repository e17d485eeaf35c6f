import type { MapFunction } from '../../graph/map.ts'
import { type Tensor, topological } from '../../graph/tensor.ts'

/** A batch normalisation with known statistics: x * scale + shift. */
export interface Normalization {
  readonly x: Tensor
  readonly scale: Tensor
  readonly shift: Tensor
  readonly weight: Tensor | number
  readonly bias: Tensor | number
  readonly mean: Tensor
  readonly variance: Tensor
  readonly eps: number
}

const operandsOf = (node: Tensor | undefined, fn: MapFunction): readonly Tensor[] =>
  node?.operation.kind === 'map' && node.operation.fn === fn ? node.inputs : []

const nameOf = ({ operation }: Tensor) => (operation.kind === 'variable' ? operation.variable.name : '')

/** The batch normalisation that `normalizeWith` (nn/normalization.ts) writes as an expression, if this is one. */
export function normalizationOf(node: Tensor, moving: ReadonlySet<Tensor>): Normalization | undefined {
  const [product, shift] = operandsOf(node, 'add')
  const [x, scale] = operandsOf(product, 'mul')
  if (!x || !scale || !shift || !moving.has(x) || moving.has(scale) || moving.has(shift)) return undefined
  const [bias, moved] = operandsOf(shift, 'sub')
  const [mean, sameScale] = operandsOf(moved, 'mul')
  if (!bias || !mean || sameScale !== scale || !nameOf(mean).endsWith('.runningMean')) return undefined
  const parts = topological([scale])
  const variance = parts.find((part) => nameOf(part).endsWith('.runningVariance'))
  const spread = parts.find((part) => operandsOf(part, 'add')[0] === variance)
  const eps = spread?.inputs[1]?.operation
  if (!variance || eps?.kind !== 'fill') return undefined
  const weight = parts.find((part) => nameOf(part).endsWith('.weight')) ?? 1
  return { x, scale, shift, weight, bias, mean, variance, eps: eps.value }
}
