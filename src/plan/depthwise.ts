import { forEachIndex, sizeOf, stridesOf } from '../base/shape.ts'
import { type ConvSpec, inputShape, kernelShape, outputShape } from '../conv/spec.ts'
import {
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel,
  load,
  loop,
  multiplyAdd,
  read,
  type Statements,
  scaleAffine,
  set,
  shiftAffine,
  store,
  variable,
} from '../kernel/builder.ts'
import type { Affine, Expr, Kernel, Statement, TargetFeatures } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import type { Place } from './contraction.ts'
import { depthwiseKernelGradients } from './depthwise-gradient.ts'
import { type Namer, namer } from './names.ts'
import { phaseShape, phases } from './phases.ts'
import { type Axis, balanced } from './tiles.ts'
import { type Algorithm, allPoints, type Epilogue, slack } from './types.ts'

/** Weights of one row of taps stay in registers up to this many. */
const keptTaps = 9

/** One channel in, one out: vectors of channels, taps unrolled, several outputs along the last axis at once. */
export const depthwise: Algorithm = {
  name: 'depthwise',
  plan(contraction, spec) {
    if (spec.groups !== spec.inChannels || spec.outChannels !== spec.inChannels)
      return { algorithm: 'depthwise', refused: `${spec.groups} groups of ${spec.inChannels} channels mix channels` }
    return Object.freeze({
      algorithm: 'depthwise',
      contraction,
      spec,
      tile: { rows: contraction === 'kernelGradient' ? 1 : tileOf(spec), vectors: 1 },
      scratch: {},
      fusable: contraction !== 'kernelGradient',
      why: `each channel by itself, ${sizeOf(spec.kernel)} taps`,
    })
  },
  calls(plan, features, epilogue) {
    const { spec, contraction } = plan
    if (contraction === 'kernelGradient') return allPoints(depthwiseKernelGradients(spec, features))
    if (contraction === 'output') return allPoints([depthwiseKernel(outputShapeOf(spec), features, epilogue)])
    return allPoints(phases(spec).map((phase) => depthwiseKernel(phaseShapeOf(spec, phase), features, epilogue)))
  },
}

const tileOf = (spec: ConvSpec): number => (sizeOf(spec.kernel) <= keptTaps ? 4 : 6)

interface DepthwiseShape {
  readonly name: string
  readonly x: Place
  readonly w: Place
  readonly y: Place
  readonly channels: number
  /** Batch, all spatial axes but the last, and joined phases. */
  readonly outer: readonly Axis[]
  /** Outputs along the last axis: x = columns between two outputs, y = elements. */
  readonly row: { readonly extent: number; readonly columns: number; readonly y: number }
  /** Elements of x between two columns. */
  readonly column: number
  /** Taps of all axes but the last. */
  readonly outerTaps: readonly Axis[]
  /** Taps of the last axis: `column` columns of x and `w` elements of w apart. */
  readonly taps: { readonly extent: number; readonly column: number; readonly w: number }
}

/** All combinations of axes, as offsets. */
function combinations(axes: readonly Axis[]): { x: number; w: number }[] {
  const list: { x: number; w: number }[] = []
  forEachIndex(
    axes.map((axis) => axis.extent),
    (index) => {
      const sum = (key: 'x' | 'w') => index.reduce((total, at, i) => total + at * (axes[i]![key] ?? 0), 0)
      list.push({ x: sum('x'), w: sum('w') })
    },
  )
  return list
}

function outputShapeOf(spec: ConvSpec): DepthwiseShape {
  const xs = stridesOf(inputShape(spec))
  const ys = stridesOf(outputShape(spec))
  const ws = stridesOf(kernelShape(spec))
  const last = spec.rank - 1
  const tapAxes = spec.kernel.map((extent, i) => ({ extent, x: spec.dilation[i]! * xs[i + 1]!, w: ws[i]! }))
  const offset = spec.padLow.reduce((sum, low, i) => sum - low * xs[i + 1]!, 0)
  return {
    name: 'depthwise',
    x: { buffer: 'a', length: sizeOf(inputShape(spec)), offset },
    w: { buffer: 'b', length: sizeOf(kernelShape(spec)), offset: 0 },
    y: { buffer: 'y', length: sizeOf(outputShape(spec)), offset: 0 },
    channels: spec.inChannels,
    outer: [
      { extent: spec.batch, x: xs[0]!, y: ys[0]! },
      ...spec.output.slice(0, -1).map((extent, i) => ({ extent, x: spec.stride[i]! * xs[i + 1]!, y: ys[i + 1]! })),
    ],
    row: { extent: spec.output[last]!, columns: spec.stride[last]!, y: ys[last + 1]! },
    column: xs[last + 1]!,
    outerTaps: tapAxes.slice(0, -1),
    taps: { extent: spec.kernel[last]!, column: spec.dilation[last]!, w: ws[last]! },
  }
}

function phaseShapeOf(spec: ConvSpec, phase: ReturnType<typeof phases>[number]): DepthwiseShape {
  const shape = phaseShape(spec, phase)
  const last = spec.rank - 1
  const empty = phase.taps.some((n) => n === 0)
  const xs = stridesOf(inputShape(spec))
  const gs = spec.outChannels
  const step = shape.taps[last]!
  return {
    name: 'depthwisePhase',
    x: { buffer: 'a', length: shape.gradientLength, offset: shape.gradientOffset },
    w: { buffer: 'b', length: sizeOf(kernelShape(spec)), offset: shape.kernelOffset },
    y: { buffer: 'y', length: sizeOf(inputShape(spec)), offset: shape.inputOffset },
    channels: spec.inChannels,
    outer: [...shape.allPositions.slice(0, -1), ...shape.runs],
    row: { extent: phase.counts[last]!, columns: 1, y: spec.stride[last]! * xs[last + 1]! },
    column: gs,
    outerTaps: empty ? [] : shape.taps.slice(0, -1),
    taps: { extent: empty ? 0 : step.extent, column: step.x! / gs, w: step.w! },
  }
}

function depthwiseKernel(shape: DepthwiseShape, features: TargetFeatures, epilogue: Epilogue): Kernel {
  const { lanes } = features
  const { x, w, y, outer, channels } = shape
  const name = namer()
  const axes = outer.map((axis, i) => ({ ...axis, index: `i${i}` })).filter((axis) => axis.extent > 1)
  const base = (key: 'x' | 'w' | 'y') => affine(0, Object.fromEntries(axes.map((axis) => [axis.index, axis[key] ?? 0])))
  const kept = tapCount(shape) <= keptTaps
  const body = channelVectors(channels, lanes, 'c', (channel, count) => {
    const weight = (at: Affine) => load(w.buffer, addAffine(channel, base('w'), shiftAffine(at, w.offset)), lanes)
    const { definitions, known } = kept ? keptWeights(shape, name, weight) : noWeights
    const tiles: Statements[] = []
    let start = 0
    for (const [size, many] of balanced(shape.row.extent, kept ? 4 : 6)) {
      const index = name('t')
      const at = affine(start, many > 1 ? { [index]: size } : {})
      const xAt = addAffine(affine(x.offset), base('x'), channel, scaleAffine(at, shape.row.columns * shape.column))
      const yAt = addAffine(affine(y.offset), base('y'), channel, scaleAffine(at, shape.row.y))
      const code = tileCode(
        shape,
        { size, xAt, yAt, channel, count, lanes, kept },
        epilogue,
        name,
        (k) => known.get(k.offset) ?? weight(k),
      )
      tiles.push(many > 1 ? loop(index, 0, many, 1, code) : code)
      start += size * many
    }
    return [definitions, tiles]
  })
  return kernel({
    name: shape.name,
    buffers: [
      buffer(x.buffer, 'f32', x.length + slack, 'read'),
      buffer(w.buffer, 'f32', w.length + slack, 'read'),
      buffer(y.buffer, 'f32', y.length + slack, 'write'),
      ...epilogue.buffers,
    ],
    axes: axes.map(({ index, extent }) => ({ index, extent })),
    body,
  })
}

const tapCount = ({ outerTaps, taps }: DepthwiseShape): number =>
  outerTaps.reduce((count, axis) => count * axis.extent, taps.extent)

const noWeights = { definitions: [] as Statements, known: new Map<number, Expr>() }

/** All weights of a channel vector in registers, found by their place. */
function keptWeights(shape: DepthwiseShape, name: Namer, weight: (at: Affine) => Expr) {
  const known = new Map<number, Expr>()
  const definitions: Statement[] = []
  for (const o of combinations(shape.outerTaps))
    for (let k = 0; k < shape.taps.extent; k++) {
      const at = o.w + k * shape.taps.w
      const definition = define(name('w'), weight(affine(at)))
      definitions.push(definition)
      known.set(at, read(definition))
    }
  return { definitions, known }
}

interface TilePlace {
  readonly size: number
  readonly xAt: Affine
  readonly yAt: Affine
  readonly channel: Affine
  readonly count: number
  readonly lanes: 1 | 4
  /** Whether taps are few enough to be written out. */
  readonly kept: boolean
}

/** `size` outputs side by side: each column of x is loaded once for all of them that need it. */
function tileCode(
  shape: DepthwiseShape,
  { size, xAt, yAt, channel, count, lanes, kept }: TilePlace,
  epilogue: Epilogue,
  name: Namer,
  weight: (at: Affine) => Expr,
): Statements {
  const { outerTaps, taps, row, column } = shape
  const sums = Array.from({ length: size }, () => variable(name('acc'), f32(0, lanes)))
  const rowOfTaps = (x: Affine, w: Affine, first: number, many: number): Statements => {
    const columns = new Map<number, { sum: (typeof sums)[number]; tap: number }[]>()
    sums.forEach((sum, i) => {
      for (let tap = first; tap < first + many; tap++) {
        const at = i * row.columns + tap * taps.column
        columns.set(at, [...(columns.get(at) ?? []), { sum, tap }])
      }
    })
    return [...columns]
      .sort((a, b) => a[0] - b[0])
      .map(([at, uses]) => {
        const value = define(name('x'), load(shape.x.buffer, addAffine(xAt, x, affine(at * column)), lanes))
        const products = uses.map(({ sum, tap }) =>
          set(sum.name, multiplyAdd(read(value), weight(shiftAffine(w, tap * taps.w)), read(sum))),
        )
        return [value, products]
      })
  }
  const steps = kept
    ? combinations(outerTaps).map((o) => rowOfTaps(affine(o.x), affine(o.w), 0, taps.extent))
    : loopedTaps(shape, name, rowOfTaps)
  const stores = sums.map((sum, i): Statements => {
    const { bind, statements } = binder(() => name('f'))
    const at = shiftAffine(yAt, i * row.y)
    return [statements, store(shape.y.buffer, at, epilogue.apply(read(sum), at, channel, bind), count)]
  })
  return [sums, steps, stores]
}

/** Taps of one row that are written out side by side. */
const unrolledTaps = 8

/** Many taps: loops over all axes, the last in pieces. */
function loopedTaps(
  shape: DepthwiseShape,
  name: Namer,
  rowOfTaps: (x: Affine, w: Affine, first: number, many: number) => Statements,
): Statements {
  const { outerTaps, taps, column } = shape
  if (tapCount(shape) === 0) return []
  const names = outerTaps.map(() => name('k'))
  const along = (key: 'x' | 'w') =>
    affine(0, Object.fromEntries(outerTaps.map((axis, i) => [names[i]!, axis[key] ?? 0])))
  const pieces = Math.floor(taps.extent / unrolledTaps)
  const index = name('k')
  const piece = (x: number, w: number): [Affine, Affine] => [
    addAffine(along('x'), affine(0, { [index]: x * unrolledTaps })),
    addAffine(along('w'), affine(0, { [index]: w * unrolledTaps })),
  ]
  const row: Statements = [
    pieces > 1
      ? loop(index, 0, pieces, 1, rowOfTaps(...piece(taps.column * column, taps.w), 0, unrolledTaps))
      : rowOfTaps(along('x'), along('w'), 0, pieces * unrolledTaps),
    rowOfTaps(along('x'), along('w'), pieces * unrolledTaps, taps.extent - pieces * unrolledTaps),
  ]
  return outerTaps.reduceRight<Statements>((inner, axis, i) => loop(names[i]!, 0, axis.extent, 1, inner), row)
}
