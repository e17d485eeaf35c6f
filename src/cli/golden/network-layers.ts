import { fail } from '../../base/errors.ts'
import type { Shape } from '../../base/shape.ts'
import * as nn from '../../nn/index.ts'
import { convOptions } from './convolutions.ts'
import { type Fields, flag, number, numbers, pads, records, text } from './folder.ts'
import { activations } from './layers.ts'
import type { Layout } from './layout.ts'

/** A weight by its name in the file. Its shape there, seen as `view`, is arranged by `layout` as ours. */
export interface Weight {
  readonly name: string
  readonly layout: Layout
  readonly view?: Shape
}

/** A layer of the file as ours, with its weights in our order. */
export interface Part {
  readonly layer: nn.Layer
  readonly weights: readonly Weight[]
  readonly statistics: readonly Weight[]
}

type Maker = (fields: Fields, rank: number) => nn.Layer

const convs = [nn.conv1d, nn.conv2d, nn.conv3d]
const transposes = [nn.convTranspose1d, nn.convTranspose2d, nn.convTranspose3d]
const maxPools = [nn.maxPool1d, nn.maxPool2d, nn.maxPool3d]
const averagePools = [nn.averagePool1d, nn.averagePool2d, nn.averagePool3d]

const poolOf = (fields: Fields, rank: number) => ({
  window: numbers(fields, 'kernel', rank),
  options: {
    stride: numbers(fields, fields.stride === undefined ? 'kernel' : 'stride', rank),
    padding: pads(fields, rank),
    ceilMode: flag(fields, 'ceilMode'),
  },
})

const makers: Readonly<Record<string, Maker>> = {
  conv(fields, rank) {
    const options = { ...convOptions(fields, rank), bias: flag(fields, 'bias', true) }
    return convs[rank - 1]!(number(fields, 'cout'), numbers(fields, 'kernel', rank), options)
  },
  convTranspose(fields, rank) {
    const outputPadding = numbers(fields, 'outputPadding', rank, 0)
    const options = { ...convOptions(fields, rank), outputPadding, bias: flag(fields, 'bias', true) }
    return transposes[rank - 1]!(number(fields, 'cout'), numbers(fields, 'kernel', rank), options)
  },
  linear: (fields) => nn.dense(number(fields, 'cout'), { bias: flag(fields, 'bias', true) }),
  bn: (fields) => nn.batchNorm({ momentum: number(fields, 'momentum', 0.1), eps: number(fields, 'eps', 1e-5) }),
  maxPool(fields, rank) {
    const { window, options } = poolOf(fields, rank)
    return maxPools[rank - 1]!(window, { ...options, dilation: numbers(fields, 'dilation', rank, 1) })
  },
  avgPool(fields, rank) {
    const { window, options } = poolOf(fields, rank)
    return averagePools[rank - 1]!(window, { ...options, countIncludePad: flag(fields, 'countIncludePad', true) })
  },
  globalAvgPool: () => nn.globalAveragePool(),
  flatten: () => nn.flatten(),
}

const withKernel = ['conv', 'convTranspose', 'linear']

function weightsOf(fields: Fields): Pick<Part, 'weights' | 'statistics'> {
  const type = text(fields, 'type')
  const plain = (suffix: string): Weight => ({ name: `${text(fields, 'name')}.${suffix}`, layout: 'plain' })
  if (type === 'bn') return { weights: ['gamma', 'beta'].map(plain), statistics: ['mean', 'var'].map(plain) }
  if (!withKernel.includes(type)) return { weights: [], statistics: [] }
  const kernel: Weight = { ...plain('w'), layout: 'kernel' }
  return { weights: flag(fields, 'bias', true) ? [kernel, plain('b')] : [kernel], statistics: [] }
}

/** A layer of a network with `rank` spatial axes. */
export function partOf(fields: Fields, rank: number): Part {
  const type = text(fields, 'type')
  if (type === 'residual') {
    const body = records(fields, 'body').map((inner) => partOf(inner, rank))
    return {
      layer: nn.residual(body.map((part) => part.layer)),
      weights: body.flatMap((part) => part.weights),
      statistics: body.flatMap((part) => part.statistics),
    }
  }
  const known = Object.hasOwn(activations, type)
  const layer = known ? nn.activation(type as nn.ActivationName) : makers[type]?.(fields, rank)
  if (!layer) return fail('golden', `layer type '${type}' is unknown`, 'See FORMAT.md')
  return { layer, ...weightsOf(fields) }
}

/** Why fovea can't build a network's layers, if it can't. */
export function refusesLayers(fields: Fields): string | undefined {
  const unknown = (list: readonly Fields[]): string | undefined => {
    for (const entry of list) {
      const type = text(entry, 'type')
      if (type === 'residual') {
        const inner = unknown(records(entry, 'body'))
        if (inner) return inner
      } else if (!Object.hasOwn(makers, type) && !Object.hasOwn(activations, type)) return `layer '${type}'`
    }
    return undefined
  }
  return unknown(records(fields, 'layers'))
}
