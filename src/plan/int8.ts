import { sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, outputShape } from '../conv/spec.ts'
import { add, dot, i32, toF32 } from '../kernel/builder.ts'
import type { Kernel, TargetFeatures } from '../kernel/ir.ts'
import { type Arithmetic, contractionKernels, packedLength } from './contraction.ts'
import { pairImageKernels, pairImageShape, pairWeightKernels } from './int8-pairs.ts'
import { type Axis, chooseTile, mergeAxes, takeRows } from './tiles.ts'
import { type Algorithm, allPoints, type Epilogue, type Plan } from './types.ts'

const pairs: Arithmetic = {
  element: 'i32',
  zero: i32,
  madd: (x, w, sum) => add(dot(x, w), sum),
  result: toF32,
}

/** Channels of a group below which packing pairs costs more than it saves. */
const fewestChannels = 8
/** Terms that float32 sums exactly if they are products of numbers of 9 bits: 2^24 / 255^2. */
export const exactTerms = 258

/**
 * Convolutions of whole numbers of at most 9 bits and a sign (int8 or uint8 less its zero point), summed exactly in 32
 * bits: two 16-bit channels of the input against two of the kernel in one lane, eight multiply-adds an instruction.
 */
export const int8: Algorithm = {
  name: 'int8',
  plan(contraction, spec, features) {
    const perGroup = spec.inChannels / spec.groups
    const refuse = (refused: string) => ({ algorithm: 'int8', refused })
    if (contraction !== 'output') return refuse('only outputs of whole numbers are summed so')
    if (features.lanes !== 4) return refuse('there are no vectors')
    const depth = sizeOf(spec.kernel) * perGroup
    if (perGroup < fewestChannels && depth <= exactTerms)
      return refuse(`${perGroup} channels are too few for pairs, and ${depth} terms are exact in float32`)
    const columns = spec.outChannels / spec.groups
    const { rows } = takeRows(positions(spec), most)
    const tile = chooseTile({ ...features, fused: false, tiles: undefined }, rows.extent, columns)
    const half = sizeOf(spec.kernel) * Math.ceil(perGroup / 2)
    return Object.freeze({
      algorithm: 'int8',
      contraction,
      spec,
      tile,
      scratch: {
        pairs: sizeOf(pairImageShape(spec)),
        packed: spec.groups * packedLength(half, columns, features.lanes),
      },
      fusable: true,
      padsItself: true,
      why: `${rows.extent} rows in tiles of ${tile.rows} x ${tile.vectors * features.lanes}, depth ${half} pairs`,
    })
  },
  calls(plan, features, epilogue) {
    const { spec } = plan
    const width = plan.tile.vectors * features.lanes
    return allPoints([
      ...pairWeightKernels(spec, width, plan.scratch.packed!),
      ...pairImageKernels(spec),
      ...productKernels(plan, features, epilogue),
    ])
  },
}

const most = 6

/** Output positions: batch and spatial axes, in pairs of the padded image. */
function positions(spec: ConvSpec): Axis[] {
  const xs = stridesOf(pairImageShape(spec))
  const ys = stridesOf(outputShape(spec))
  return mergeAxes([
    { extent: spec.batch, x: xs[0]!, y: ys[0]! },
    ...spec.output.map((extent, i) => ({ extent, x: spec.stride[i]! * xs[i + 1]!, y: ys[i + 1]! })),
  ])
}

function productKernels(plan: Plan, features: TargetFeatures, epilogue: Epilogue): Kernel[] {
  const { spec, scratch, tile } = plan
  const { groups } = spec
  const half = Math.ceil(spec.inChannels / groups / 2)
  const columns = spec.outChannels / groups
  const image = pairImageShape(spec)
  const xs = stridesOf(image)
  const order = stridesOf([...spec.kernel, half])
  const block = packedLength(sizeOf(spec.kernel) * half, columns, features.lanes)
  const { rows, outer } = takeRows(positions(spec), most)
  return contractionKernels(
    {
      name: 'int8',
      x: { buffer: 'pairs', length: scratch.pairs!, offset: 0 },
      w: { buffer: 'packed', length: scratch.packed!, offset: 0 },
      y: { buffer: 'y', length: sizeOf(outputShape(spec)), offset: 0 },
      outer: mergeAxes([...outer, { extent: groups, x: half, w: block, y: columns, channel: columns }]),
      rows,
      columns,
      reduce: mergeAxes([
        ...spec.kernel.map((extent, i) => ({ extent, x: spec.dilation[i]! * xs[i + 1]!, w: order[i]! })),
        { extent: half, x: 1, w: 1 },
      ]),
      sums: [],
      packed: true,
      arithmetic: pairs,
    },
    tile,
    features,
    epilogue,
  )
}
