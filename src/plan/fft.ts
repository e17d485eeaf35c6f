import type { Contraction, ConvSpec } from '../conv/spec.ts'
import {
  addAffine,
  affine,
  buffer,
  define,
  f32,
  kernel,
  load,
  loop,
  mul,
  read,
  type Statements,
  set,
  shiftAffine,
  splat,
  store,
  variable,
} from '../kernel/builder.ts'
import { type Affine, type Kernel, pointsOf } from '../kernel/ir.ts'
import { binder } from '../kernel/math.ts'
import { channelVectors } from './channels.ts'
import {
  type Complex,
  type Context,
  cells,
  overChannels,
  product,
  rootKernels,
  rootScratch,
  rootsBuffer,
  sum,
  transform,
} from './fft-passes.ts'
import { correlation, type FftTiling, fftTilings, type Grid, grids, transformsOf, type Walk } from './fft-shape.ts'
import { namer } from './names.ts'
import {
  type Algorithm,
  allPoints,
  defaultPrecision,
  type Epilogue,
  type KernelCall,
  type PlanFeatures,
  slack,
} from './types.ts'

/** Smaller kernels never pay. */
const fewestTaps = 64

function unfit(contraction: Contraction, spec: ConvSpec, features: PlanFeatures): string | undefined {
  const { rank, kernel, groups, stride, dilation, sources } = spec
  if (contraction === 'kernelGradient') return 'only outputs and gradients of the input'
  if (rank > 2) return `rank ${rank} is more than 2`
  if (kernel.reduce((a, b) => a * b, 1) < fewestTaps) return 'the kernel is small'
  if (stride.some((s) => s !== 1) || dilation.some((d) => d !== 1)) return 'stride and dilation must be 1'
  if (groups > 1 && (groups !== spec.inChannels || groups !== spec.outChannels)) return `${groups} groups mix channels`
  if (sources) return 'the border is read from where it comes'
  const { precision = defaultPrecision } = features
  return precision === 'fast' || features.algorithm === 'fft' ? undefined : `precision is '${precision}'`
}

/** Cycles that a vector of complex numbers takes in a stage of four points, and otherwise. */
const stageCycles = 2.5
const cellCycles = 4
const near = 2 ** 20
const bytesPerCycle = 8

/** Cycles by a rough reckoning. */
function cost(t: FftTiling, lanes: number): number {
  const points = t.size[0] * t.size[1]
  const [vin, vout] = [t.partIn, t.partOut].map((n) => Math.ceil(n / lanes) * t.parts) as [number, number]
  const stages = Math.ceil(Math.log2(t.size[0]) / 2) + Math.ceil(Math.log2(t.size[1]) / 2)
  const maps = (vin + vout) * (stages * stageCycles + cellCycles)
  const products = t.depthwise ? vin * 3 : t.inChannels * vout * 1.5
  const weights = 8 * points * (t.depthwise ? t.inChannels : t.inChannels * t.outChannels)
  return transformsOf(t) * points * (maps + products) + Math.max(0, weights - near) / bytesPerCycle
}

const directCost = ({ batch, output, taps, inChannels, outChannels, depthwise }: FftTiling, lanes: number): number => {
  const products = depthwise ? Math.ceil(outChannels / lanes) : inChannels * Math.ceil(outChannels / lanes)
  return (1.1 * batch * output[0] * output[1] * taps[0] * taps[1] * products) / 2
}

const bestTiling = (contraction: Contraction, spec: ConvSpec, lanes: number): FftTiling | undefined => {
  const all = fftTilings(correlation(contraction, spec))
  return all.length === 0 ? undefined : all.reduce((a, b) => (cost(b, lanes) < cost(a, lanes) ? b : a))
}

/**
 * Convolution by the fast Fourier transform (Cooley and Tukey, 1965; overlap-save): a correlation is a product
 * of each frequency. Two tiles are the real and imaginary part of one transform, for the weights are real.
 */
export const fft: Algorithm = {
  name: 'fft',
  plan(contraction, spec, features) {
    const refuse = (refused: string) => ({ algorithm: 'fft', refused })
    const problem = unfit(contraction, spec, features)
    if (problem) return refuse(problem)
    const t = bestTiling(contraction, spec, features.lanes)
    if (!t) return refuse('the map is too large for one transform and has no equal parts')
    const gain = directCost(t, features.lanes) / cost(t, features.lanes)
    if (gain < 1.2 && features.algorithm !== 'fft')
      return refuse(`it would take ${(1 / gain).toFixed(2)} of the direct time`)
    const { read: grid, made, weights } = grids(t)
    return Object.freeze({
      algorithm: 'fft',
      contraction,
      spec,
      tile: { rows: 1, vectors: 1 },
      scratch: {
        ...rootScratch(Math.max(...t.size)),
        packed: weights.floats * t.parts + slack,
        read: grid.floats + slack,
        ...(t.depthwise ? {} : { made: made.floats + slack }),
      },
      fusable: true,
      padsItself: false,
      why:
        `${transformsOf(t)} transforms of ${t.size.join('x')} points for tiles of ${t.tile.join('x')}, ` +
        `${gain.toFixed(2)} times as fast as direct by reckoning`,
    })
  },
  calls(plan, features, epilogue) {
    const t = bestTiling(plan.contraction, plan.spec, features.lanes)!
    const whole = mapKernel(t, plan.scratch, features, epilogue)
    const chunks = pointsOf(whole)
    const parts = Array.from(
      { length: chunks },
      (_, i): KernelCall => ({
        kernel: whole,
        points: [i, i + 1],
        ...(chunks > 1 && { chunk: i }),
      }),
    )
    return [...allPoints([...rootKernels(Math.max(...t.size)), ...weightKernels(t, plan.scratch, features)]), ...parts]
  },
}

const contextOf = (t: FftTiling, { lanes }: PlanFeatures): Context => ({
  lanes,
  name: namer(),
  points: Math.max(...t.size),
})

/** The transforms of all weights, divided by the number of points: steady in a program whose weights are. */
function weightKernels(t: FftTiling, scratch: Readonly<Record<string, number>>, features: PlanFeatures): Kernel[] {
  const { weights: on } = grids(t)
  const packed = (access: 'write' | 'update') => buffer('packed', 'f32', scratch.packed!, access)
  const roots = buffer(rootsBuffer, 'f32', scratch[rootsBuffer]!, 'read')
  const parts = t.parts > 1 ? [{ index: 'part', extent: t.parts }] : []
  const base = affine(0, t.parts > 1 ? { part: on.floats } : {})
  const cell = (y: number | string, x: number | string) => {
    const term = (at: number | string, step: number) =>
      typeof at === 'number' ? affine(at * step) : affine(0, { [at]: step })
    return {
      grid: addAffine(base, term(y, on.row), term(x, on.column)),
      w: addAffine(term(y, t.w.steps[0]), term(x, t.w.steps[1])),
    }
  }
  const lists = (body: (list: Affine, w: Affine, c: Affine) => Statements) =>
    loop(
      'list',
      0,
      on.lists,
      1,
      channelVectors(on.channels, 1, 'c', (c) =>
        body(affine(0, { list: 2 * on.channels }), affine(0, { list: t.w.in }), c),
      ),
    )
  const wAt = (w: Affine, inner: Affine, c: Affine) =>
    addAffine(
      affine(t.w.offset),
      w,
      inner,
      { offset: c.offset * t.w.out, terms: c.terms.map((k) => ({ ...k, scale: k.scale * t.w.out })) },
      affine(0, t.parts > 1 ? { part: on.channels * t.w.out } : {}),
    )
  const one = f32(1 / (t.size[0] * t.size[1]))
  const put = (y: string, x: string, real: boolean) =>
    lists((list, inner, c) => {
      const { grid: at, w } = cell(y, x)
      const to = addAffine(at, list, c)
      return [
        store('packed', to, real ? mul(load('b', wAt(w, inner, c)), one) : f32(0)),
        store('packed', shiftAffine(to, on.channels), f32(0)),
      ]
    })
  const [ny, nx] = t.size
  const [ky, kx] = t.taps
  const body = [
    loop('row', 0, ky, 1, [
      loop('col', 0, kx, 1, put('row', 'col', true)),
      loop('col', kx, nx, 1, put('row', 'col', false)),
    ]),
    loop('row', ky, ny, 1, loop('col', 0, nx, 1, put('row', 'col', false))),
  ]
  const pass = (axis: 0 | 1): Kernel => {
    const context = contextOf(t, features)
    const [along, other] = axis === 1 ? [on.column, on.row] : [on.row, on.column]
    const line = axis === 1 ? ky : nx
    return kernel({
      name: 'fftWeights',
      buffers: [roots, packed('update')],
      axes: [...parts, { index: 'line', extent: line }],
      body: transform(
        on,
        context,
        { at: addAffine(base, affine(0, { line: other })), step: along, points: t.size[axis], inverse: false },
        (code) => overChannels(on, context, code),
      ),
    })
  }
  return [
    kernel({
      name: 'fftPack',
      buffers: [buffer('b', 'f32', t.w.length + slack, 'read'), packed('write')],
      axes: parts,
      body,
    }),
    ...(nx > 1 ? [pass(1)] : []),
    ...(ny > 1 ? [pass(0)] : []),
  ]
}

/** Where the two tiles of a point begin in a map. */
function tilesIn(t: FftTiling, { offset, batch, steps }: Walk, scale: Affine): [Affine, Affine] {
  const strides = [batch, t.tile[0] * steps[0], t.tile[1] * steps[1]]
  const scales = Object.fromEntries(strides.map((step, i) => [`t${i}`, t.paired === i ? 2 * step : step]))
  const used = Object.fromEntries(
    Object.entries(scales).filter(([index]) => tileAxes(t).some((axis) => axis.index === index)),
  )
  const first = addAffine(affine(offset), affine(0, used), scale)
  return [first, shiftAffine(first, t.paired === undefined ? 0 : strides[t.paired]!)]
}

const tileAxes = ({ batch, tiles, paired }: FftTiling) =>
  [batch, ...tiles]
    .map((many, i) => ({ index: `t${i}`, extent: paired === i ? many / 2 : many }))
    .filter(({ extent }) => extent > 1)

/** Everything for two tiles and a part of the channels. */
function mapKernel(
  t: FftTiling,
  scratch: Readonly<Record<string, number>>,
  features: PlanFeatures,
  epilogue: Epilogue,
): Kernel {
  const context = contextOf(t, features)
  const { read: on, made, weights } = grids(t)
  const [ny, nx] = t.size
  const rows = t.tile[0] + t.taps[0] - 1
  const part = (scale: number) => affine(0, t.parts > 1 ? { part: scale } : {})
  const rowPass = (g: Grid, inverse: boolean) =>
    nx > 1
      ? transform(g, context, { at: affine(0, { row: g.row }), step: g.column, points: nx, inverse }, (code) =>
          overChannels(g, context, code),
        )
      : []
  const columnPass = (g: Grid, inverse: boolean) =>
    ny > 1
      ? transform(g, context, { at: affine(0), step: g.row, points: ny, inverse }, (code) => {
          const x = context.name('x')
          return loop(
            x,
            0,
            nx,
            1,
            overChannels(g, context, (offset, count) => code(addAffine(offset, affine(0, { [x]: g.column })), count)),
          )
        })
      : []
  const body: Statements = [
    loop('row', 0, rows, 1, [loadRow(t, on, context, part(t.partIn)), rowPass(on, false)]),
    loop('row', rows, ny, 1, loop('col', 0, nx, 1, zeros(on, context))),
    columnPass(on, false),
    multiply(t, on, made, weights, context, part(weights.floats)),
    columnPass(made, true),
    loop('row', 0, t.tile[0], 1, [rowPass(made, true), storeRow(t, made, context, part(t.partOut), epilogue)]),
  ]
  return kernel({
    name: 'fft',
    buffers: [
      buffer('a', 'f32', t.x.length + slack, 'read'),
      buffer('packed', 'f32', scratch.packed!, 'read'),
      buffer(rootsBuffer, 'f32', scratch[rootsBuffer]!, 'read'),
      buffer('read', 'f32', scratch.read!, 'update'),
      ...(made === on ? [] : [buffer('made', 'f32', scratch.made!, 'update')]),
      buffer('y', 'f32', t.y.length, 'write'),
      ...epilogue.buffers,
    ],
    axes: [...tileAxes(t), ...(t.parts > 1 ? [{ index: 'part', extent: t.parts }] : [])],
    body,
  })
}

const here = (g: Grid) => affine(0, { row: g.row, col: g.column })

const zeros = (g: Grid, context: Context) =>
  overChannels(g, context, (c, count) => {
    const { statements, store: put } = cells(g, context)
    put(addAffine(here(g), c), { re: f32(0, context.lanes), im: f32(0, context.lanes) }, count)
    return statements
  })

function loadRow(t: FftTiling, on: Grid, context: Context, channel: Affine): Statements {
  const width = t.tile[1] + t.taps[1] - 1
  const [first, second] = tilesIn(t, t.x, channel)
  const walk = affine(0, { row: t.x.steps[0], col: t.x.steps[1] })
  const { lanes } = context
  return [
    loop(
      'col',
      0,
      width,
      1,
      overChannels(on, context, (c, count) => {
        const { statements, store: put } = cells(on, context)
        const from = (start: Affine) => load('a', addAffine(start, walk, c), lanes)
        put(
          addAffine(here(on), c),
          { re: from(first), im: t.paired === undefined ? f32(0, lanes) : from(second) },
          count,
        )
        return statements
      }),
    ),
    loop('col', width, t.size[1], 1, zeros(on, context)),
  ]
}

function storeRow(t: FftTiling, made: Grid, context: Context, channel: Affine, epilogue: Epilogue): Statements {
  const starts = tilesIn(t, t.y, channel)
  const walk = affine(0, { row: t.y.steps[0], col: t.y.steps[1] })
  return loop(
    'col',
    0,
    t.tile[1],
    1,
    overChannels(made, context, (c, count) => {
      const { statements, load: get } = cells(made, context)
      const { re, im } = get(addAffine(here(made), c))
      const stores = (t.paired === undefined ? [re] : [re, im]).map((value, i) => {
        const last = binder(() => context.name('f'))
        const at = addAffine(starts[i]!, walk, c)
        const result = epilogue.apply(value, at, addAffine(channel, c), last.bind)
        return [last.statements, store('y', at, result, count)]
      })
      return [statements, stores]
    }),
  )
}

/** Each frequency by the conjugate of the weights': a correlation. */
function multiply(t: FftTiling, on: Grid, made: Grid, weights: Grid, context: Context, part: Affine): Statements {
  const { lanes } = context
  const at = addAffine(here(weights), part)
  const over = (body: Statements) => loop('row', 0, t.size[0], 1, loop('col', 0, t.size[1], 1, body))
  if (t.depthwise)
    return over(
      overChannels(on, context, (c, count) => {
        const { statements, load: get, store: put, both } = cells(on, context)
        const w = cells(weights, context)
        const z = get(addAffine(here(on), c))
        const h = w.load(addAffine(at, c))
        const value = both(product(z, h, true))
        put(addAffine(here(on), c), value, count)
        return [w.statements, statements]
      }),
    )
  return over(
    overChannels(made, context, (c, count) => {
      const [re, im] = [variable(context.name('re'), f32(0, lanes)), variable(context.name('im'), f32(0, lanes))]
      const w = cells(weights, context)
      const h = w.load(addAffine(at, c, affine(0, { k: weights.channels * 2 })))
      const z = [0, on.channels].map((plane) =>
        define(
          context.name('z'),
          splat(load(on.buffer, shiftAffine(addAffine(here(on), affine(0, { k: 1 })), plane)), lanes),
        ),
      )
      const total: Complex = { re: read(re), im: read(im) }
      const next = sum(total, product({ re: read(z[0]!), im: read(z[1]!) }, h, true))
      const put = cells(made, context)
      put.store(addAffine(here(made), c), total, count)
      return [
        re,
        im,
        loop('k', 0, t.inChannels, 1, [w.statements, z, set(re.name, next.re), set(im.name, next.im)]),
        put.statements,
      ]
    }),
  )
}
