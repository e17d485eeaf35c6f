import { sizeOf, stridesOf } from '../base/shape.ts'
import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import type { Kernel } from '../kernel/ir.ts'
import { type Border, regionsOf } from './borders.ts'
import { contractionKernels, packedLength } from './contraction.ts'
import { packKernels } from './pack.ts'
import { type Phase, phaseShape, phases, unpaddedPhase } from './phases.ts'
import { type Axis, chooseTile, mergeAxes, slowness, type Tile, takeRows } from './tiles.ts'
import { type Algorithm, allPoints, type Epilogue, type Plan, type PlanFeatures } from './types.ts'

const most = 6

/**
 * Every convolution as a tiled matrix product over its own axes, with no copied patches: pointwise when the kernel has
 * one tap, implicit otherwise. `inputGradient` is one such product for each phase of the stride.
 */
export const matrixProduct: Algorithm = {
  name: 'matrix product',
  plan(contraction, spec, features) {
    const pointwise = sizeOf(spec.kernel) === 1
    const { rows, outer, columns } = layout(contraction, spec)
    const tile = chooseTile(features, rows.extent, columns)
    const left = leftOut(contraction, spec, tile)
    return Object.freeze({
      algorithm: pointwise ? 'pointwise' : 'implicit',
      contraction,
      spec,
      tile,
      scratch: { packed: packedFloats(contraction, spec, features.lanes) },
      fusable: contraction !== 'kernelGradient',
      padsItself: left > 0,
      why:
        `${rows.extent} rows in tiles of ${tile.rows} x ${tile.vectors * features.lanes} columns of ${columns}, ` +
        `${outer.reduce((n, axis) => n * axis.extent, 1)} such, depth ${depthOf(contraction, spec)}` +
        (left > 0 ? `, ${Math.round(100 * left)}% left out for meeting padding` : ''),
    })
  },
  calls(plan, features, epilogue) {
    const { contraction, spec } = plan
    if (contraction === 'output') return allPoints(outputKernels(plan, spec, features, epilogue))
    if (contraction === 'kernelGradient') return allPoints(kernelGradientKernels(plan, spec, features, epilogue))
    let packedAt = 0
    return phases(spec).flatMap((phase) => {
      const kernels = phaseKernels(plan, spec, phase, packedAt, features, epilogue)
      packedAt += phaseFloats(spec, phase, features.lanes)
      return allPoints(kernels)
    })
  },
}

const depthOf = (contraction: Contraction, spec: ConvSpec): number => {
  if (contraction === 'kernelGradient') return spec.batch * sizeOf(spec.output)
  const channels = contraction === 'output' ? spec.inChannels : spec.outChannels
  return (sizeOf(spec.kernel) * channels) / spec.groups
}

const columnsOf = (contraction: Contraction, spec: ConvSpec): number =>
  (contraction === 'inputGradient' ? spec.inChannels : spec.outChannels) / spec.groups

function packedFloats(contraction: Contraction, spec: ConvSpec, lanes: number): number {
  if (contraction === 'kernelGradient') return 0
  const columns = columnsOf(contraction, spec)
  if (contraction === 'output') return spec.groups * packedLength(depthOf(contraction, spec), columns, lanes)
  return phases(spec).reduce((sum, phase) => sum + phaseFloats(spec, phase, lanes), 0)
}

/** Floats of the weights that one phase packs. */
function phaseFloats(spec: ConvSpec, phase: Phase, lanes: number): number {
  const depth = sizeOf(phase.taps) * (spec.outChannels / spec.groups)
  return sizeOf(phase.many) * spec.groups * packedLength(depth, spec.inChannels / spec.groups, lanes)
}

/** The loops of a contraction before packing strides are known; for choosing tiles. */
function layout(contraction: Contraction, spec: ConvSpec): { rows: Axis; outer: Axis[]; columns: number } {
  const columns = columnsOf(contraction, spec)
  if (contraction === 'output') return { ...takeRows(positions(spec), most), columns }
  if (contraction === 'kernelGradient') return { ...takeRows(tapAxes(spec), most), columns }
  return { ...takeRows(phaseShape(spec, phases(spec)[0]!).positions, most), columns }
}

/** Taps that are left out must save this much of the time to be worth the parts. */
const worthParting = 0.1
/** Parts of an output, each with kernels of its own. */
const mostRegions = 25

/**
 * How much of the product needn't be computed because taps meet nothing but padding there, as in small maps under
 * large dilations; 0 where the output isn't worth cutting into parts.
 */
function leftOut(contraction: Contraction, spec: ConvSpec, tile: Tile): number {
  if (contraction === 'kernelGradient') return 0
  const all = contraction === 'output' ? [] : phases(spec)
  if (all.some(({ many }) => sizeOf(many) > 1)) return 0
  const time = (positions: number, taps: number) => positions * taps * slowness(spec.batch * positions, tile.rows)
  let [whole, parted, count] = [0, 0, 0]
  for (const part of contraction === 'output' ? [spec] : all.map((phase) => unpaddedPhase(spec, phase))) {
    whole += time(sizeOf(part.output), sizeOf(part.kernel))
    for (const region of regionsOf(part, spec.rank)) {
      const size = (of: (border: Border) => number) => region.reduce((product, border) => product * of(border), 1)
      const positions = size((border) => border.count)
      parted += time(
        positions,
        size(({ from, to }) => to - from),
      )
      count++
    }
  }
  const left = 1 - parted / whole
  return left > worthParting && count <= mostRegions ? left : 0
}

/** Where the first element that the kernel meets lies: cropping is a matter of addresses. */
const cropOffset = (spec: ConvSpec): number => {
  const strides = stridesOf(inputShape(spec))
  return spec.padLow.reduce((sum, low, axis) => sum - low * strides[axis + 1]!, 0)
}

/** Output positions, all or those of a region, with their strides in x and y. */
function positions(spec: ConvSpec, region?: readonly Border[]): Axis[] {
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  return mergeAxes([
    { extent: spec.batch, x: xs[0]!, y: ys[0]! },
    ...spec.output.map((extent, axis) => ({
      extent: region?.[axis]?.count ?? extent,
      x: spec.stride[axis]! * xs[axis + 1]!,
      y: ys[axis + 1]!,
    })),
  ])
}

/** Taps and channels within a group with their strides in x and in dw. */
function tapAxes(spec: ConvSpec): Axis[] {
  const xs = stridesOf(inputShape(spec))
  const ws = stridesOf(kernelShape(spec))
  return mergeAxes([
    ...spec.kernel.map((extent, axis) => ({ extent, x: spec.dilation[axis]! * xs[axis + 1]!, y: ws[axis]! })),
    { extent: spec.inChannels / spec.groups, x: 1, y: spec.outChannels },
  ])
}

function outputKernels(plan: Plan, spec: ConvSpec, features: PlanFeatures, epilogue: Epilogue): Kernel[] {
  const { groups } = spec
  const perGroup = spec.inChannels / groups
  const columns = spec.outChannels / groups
  const depth = sizeOf(spec.kernel) * perGroup
  const blockLength = packedLength(depth, columns, features.lanes)
  const ws = stridesOf(kernelShape(spec))
  const group: Axis = { extent: groups, x: perGroup, w: blockLength, y: columns, channel: columns }
  const width = plan.tile.vectors * features.lanes
  const pack = packKernels({
    source: { buffer: 'b', length: sizeOf(kernelShape(spec)), offset: 0 },
    target: { buffer: 'packed', length: plan.scratch.packed!, offset: 0 },
    outer: [{ extent: groups, source: columns, target: blockLength }],
    depth: [
      ...spec.kernel.map((extent, axis) => ({ extent, source: ws[axis]! })),
      { extent: perGroup, source: spec.outChannels },
    ],
    columns,
    columnStride: 1,
    width,
    lanes: features.lanes,
  })
  const regions = plan.padsItself ? regionsOf(spec, spec.rank) : [undefined]
  const product = regions.flatMap((region) => {
    const { rows, outer } = takeRows(positions(spec, region), most)
    const shape = { ...regionShape(spec, region), name: plan.algorithm, rows, columns, sums: [], packed: true }
    const w = { buffer: 'packed', length: plan.scratch.packed!, offset: 0 }
    return contractionKernels({ ...shape, w, outer: mergeAxes([...outer, group]) }, plan.tile, features, epilogue)
  })
  return [...pack, ...product]
}

/** What is summed up for all outputs or those of a region, and where it lies. */
function regionShape(spec: ConvSpec, region: readonly Border[] | undefined) {
  const perGroup = spec.inChannels / spec.groups
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const order = stridesOf([...spec.kernel, perGroup])
  const taps = spec.kernel.map((extent, axis) => region?.[axis] ?? { first: 0, from: 0, to: extent })
  const sum = (term: (tap: (typeof taps)[number], axis: number) => number) =>
    taps.reduce((total, tap, axis) => total + term(tap, axis), 0)
  const reduce = mergeAxes([
    ...taps.map(({ from, to }, i) => ({ extent: to - from, x: spec.dilation[i]! * xs[i + 1]!, w: order[i]! })),
    { extent: perGroup, x: 1, w: 1 },
  ])
  return {
    x: {
      buffer: 'a',
      length: sizeOf(inputShape(spec)),
      offset:
        cropOffset(spec) +
        sum(({ first, from }, i) => (first * spec.stride[i]! + from * spec.dilation[i]!) * xs[i + 1]!),
    },
    y: { buffer: 'y', length: sizeOf(outputShape(spec)), offset: sum(({ first }, i) => first * ys[i + 1]!) },
    reduce: reduce.some(({ extent }) => extent === 0) ? [{ extent: 0 }] : reduce,
    block: { depth: sizeOf(spec.kernel) * perGroup, first: sum(({ from }, i) => from * order[i]!) },
  }
}

function phaseKernels(
  plan: Plan,
  spec: ConvSpec,
  phase: Phase,
  packedAt: number,
  features: PlanFeatures,
  epilogue: Epilogue,
): Kernel[] {
  const { groups } = spec
  const perGroup = spec.outChannels / groups
  const columns = spec.inChannels / groups
  const none = { low: spec.input.map(() => 0), high: spec.input.map(() => 0) }
  const shape = phaseShape(spec, phase, plan.padsItself ? none : undefined)
  const depth = sizeOf(phase.taps) * perGroup
  const blockLength = packedLength(depth, columns, features.lanes)
  const order = stridesOf([...phase.taps, perGroup])
  const group: Axis = { extent: groups, x: perGroup, w: blockLength, y: columns, channel: columns }
  const packedRuns = stridesOf([...shape.runs.map((run) => run.extent), groups * blockLength])
  const runs = shape.runs.map((run, i) => ({ ...run, w: packedRuns[i]! }))
  const pack =
    depth === 0
      ? []
      : packKernels({
          source: { buffer: 'b', length: sizeOf(kernelShape(spec)), offset: shape.kernelOffset },
          target: { buffer: 'packed', length: plan.scratch.packed!, offset: packedAt },
          outer: [
            ...shape.runs.map((run, i) => ({ extent: run.extent, source: run.w!, target: packedRuns[i]! })),
            { extent: groups, source: perGroup, target: blockLength },
          ],
          depth: [
            ...shape.taps.map((axis) => ({ extent: axis.extent, source: axis.w! })),
            { extent: perGroup, source: 1 },
          ],
          columns,
          columnStride: spec.outChannels,
          width: plan.tile.vectors * features.lanes,
          lanes: features.lanes,
        })
  const regions = plan.padsItself ? regionsOf(unpaddedPhase(spec, phase), spec.rank) : [undefined]
  const product = regions.flatMap((region) => {
    const part = phase.taps.map((extent, axis) => region?.[axis] ?? { first: 0, from: 0, to: extent })
    const sum = (term: (axis: number) => number) => part.reduce((total, _, axis) => total + term(axis), 0)
    const places = shape.allPositions.map((axis, i) => ({ ...axis, extent: region?.[i - 1]?.count ?? axis.extent }))
    const { rows, outer } = takeRows(mergeAxes(places), most)
    const reduce = mergeAxes([
      ...shape.taps.map((axis, i) => ({ extent: part[i]!.to - part[i]!.from, x: axis.x!, w: order[i]! })),
      { extent: perGroup, x: 1, w: 1 },
    ])
    const x = sum((i) => part[i]!.first * shape.allPositions[i + 1]!.x! + part[i]!.from * shape.taps[i]!.x!)
    const y = sum((i) => part[i]!.first * shape.allPositions[i + 1]!.y!)
    return contractionKernels(
      {
        name: `${plan.algorithm}Phase`,
        x: { buffer: 'a', length: shape.gradientLength, offset: shape.gradientOffset + x },
        w: { buffer: 'packed', length: plan.scratch.packed!, offset: packedAt },
        y: { buffer: 'y', length: sizeOf(inputShape(spec)), offset: shape.inputOffset + y },
        outer: mergeAxes([...outer, ...runs, group]),
        rows,
        columns,
        reduce: reduce.some(({ extent }) => extent === 0) ? [{ extent: 0 }] : reduce,
        block: { depth, first: sum((i) => part[i]!.from * order[i]!) },
        sums: [],
        packed: true,
      },
      plan.tile,
      features,
      epilogue,
    )
  })
  return [...pack, ...product]
}

/** Longest sum held in registers by the gradient of the kernel, and the floats it may touch (32 KB of cache). */
const longest = 1024
const cacheFloats = 8192

function kernelGradientKernels(plan: Plan, spec: ConvSpec, features: PlanFeatures, epilogue: Epilogue): Kernel[] {
  const { groups } = spec
  const columns = spec.outChannels / groups
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const all = mergeAxes([
    { extent: spec.batch, x: xs[0]!, w: ys[0]! },
    ...spec.output.map((extent, axis) => ({ extent, x: spec.stride[axis]! * xs[axis + 1]!, w: ys[axis + 1]! })),
  ])
  const perPosition = spec.inChannels + spec.outChannels
  const limit = Math.max(32, Math.min(longest, Math.floor(cacheFloats / perPosition)))
  let split = all.length
  let length = 1
  while (split > 0 && length * all[split - 1]!.extent <= limit) length *= all[--split]!.extent
  const { rows, outer } = takeRows(tapAxes(spec), most)
  const group: Axis = { extent: groups, x: spec.inChannels / groups, w: columns, y: columns, channel: columns }
  const shape = {
    name: `${plan.algorithm}KernelGradient`,
    x: { buffer: 'a', length: sizeOf(inputShape(spec)), offset: cropOffset(spec) },
    w: { buffer: 'b', length: sizeOf(outputShape(spec)), offset: 0 },
    y: { buffer: 'y', length: sizeOf(kernelShape(spec)), offset: 0 },
    outer: mergeAxes([...outer, group]),
    rows,
    columns,
    packed: false,
  }
  const inner = all.slice(split)
  const cut = all[split - 1]
  if (!cut || length * 2 > limit)
    return contractionKernels({ ...shape, reduce: inner, sums: all.slice(0, split) }, plan.tile, features, epilogue)
  return contractionKernels(
    { ...shape, ...splitAxis(all.slice(0, split - 1), cut, inner, Math.floor(limit / length)) },
    plan.tile,
    features,
    epilogue,
  )
}

/** Cuts a long axis in equal parts of at most `most` if it has such a divisor; else sums it through memory whole. */
function splitAxis(sums: readonly Axis[], cut: Axis, inner: readonly Axis[], most: number) {
  let part = Math.min(most, cut.extent)
  while (cut.extent % part !== 0) part--
  const outerPart = { extent: cut.extent / part, x: (cut.x ?? 0) * part, w: (cut.w ?? 0) * part }
  return { sums: mergeAxes([...sums, outerPart]), reduce: mergeAxes([{ ...cut, extent: part }, ...inner]) }
}
