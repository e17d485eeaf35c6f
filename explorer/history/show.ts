// What each system of the history computes, by the library: a state becomes views.
import { compile, conv, type Tensor, tensor } from 'fovea'
import {
  alexnet,
  cells,
  drawGlyph,
  evenKernels,
  fukushima1969,
  glyphs,
  lenet5of1998,
  lineAngles,
  lineKernels,
  Neocognitron,
  neocognitronModules,
  neocognitronPlanes,
  retina,
  stimuli,
} from 'fovea/models'
import { type Model, readSafetensors, summaryRows } from 'fovea/nn'
import { type Fact, type Frame, limitOf, type View } from '../shared/frame.ts'
import { mosaic, type Numbers, type Tile, tilesOf } from '../shared/mosaic.ts'
import { counted, decimals } from '../shared/numbers.ts'
import { glyphCount, type HistoryState, sampleCount } from './state.ts'
import { type SystemId, systems } from './systems.ts'

/** Files that lie beside this one, by name. */
export type Load = (name: 'lenet5-1998.safetensors' | 'sparse-16x16.safetensors' | 'samples.bin') => Promise<Uint8Array>

interface Made {
  readonly views: readonly View[]
  readonly facts?: readonly Fact[]
}

type Show = (state: HistoryState, load: Load) => Promise<Made>

function viewOf(
  name: string,
  title: string,
  tiles: readonly Tile[],
  across: number,
  noun: string,
  scale: View['scale'] = 'signed',
): View {
  const seen = mosaic(tiles, across, noun)
  return { ...seen, name, title, scale, limit: scale === 'grey' ? 1 : limitOf(seen.values) }
}

const squareTile = (values: ArrayLike<number>): Tile => {
  const size = Math.round(Math.sqrt(values.length))
  return { rows: size, columns: size, values }
}

const pictureView = (values: ArrayLike<number>): View =>
  viewOf('picture', 'The picture', [squareTile(values)], 1, 'picture', 'grey')

const mapsView = (name: string, title: string, maps: Numbers, across = 4, count = 64): View =>
  viewOf(name, title, tilesOf(maps).slice(0, count), across, 'map')

const radians = (degrees: number) => (degrees * Math.PI) / 180

/** Edge of what the cells and the elements of 1969 see. */
const field = 48

/** Programs and networks that were made, by name. */
const made = new Map<string, Promise<unknown>>()

function once<T>(name: string, make: () => Promise<T>): Promise<T> {
  const known = (made.get(name) as Promise<T> | undefined) ?? make()
  made.set(name, known)
  return known
}

const showCells: Show = async ({ a }) => {
  // a bar lies at right angles to its orientation
  const { values } = stimuli.bar(field, radians(a) + Math.PI / 2, { width: 4, length: 30 })
  const program = await once('cells', async () => compile((x) => ({ ...cells(x) }), [[1, field, field, 1]]))
  const { simple, energy, endStopped } = await program(values)
  const part = (data: Float32Array) => ({ shape: [field, field, data.length / field ** 2], data })
  return {
    views: [
      pictureView(values),
      viewOf('kernels', '8 directions: Gabor kernels', evenKernels.map(squareTile), 4, 'kernel'),
      mapsView('simple', 'Simple cells', part(simple), 4, 8),
      mapsView('complex', 'Complex cells', part(energy), 4),
      mapsView('endStopped', 'End-stopped cells', part(endStopped), 4),
    ],
  }
}

/** A bar, a ring and a dot, turned by an angle. */
function figure(degrees: number): Float32Array {
  const turn = radians(degrees)
  const [c, s] = [Math.cos(turn), Math.sin(turn)]
  return stimuli.picture(field, (x, y) => {
    const [u, v] = [x * c + y * s, y * c - x * s]
    const line = Math.hypot(Math.max(0, Math.abs(u) - 14), v + 8)
    const ring = Math.abs(Math.hypot(u + 8, v - 8) - 7)
    const dot = Math.hypot(u - 11, v - 8)
    return Math.max(0, Math.min(1, 1.5 - Math.min(line, ring, dot)))
  }).values
}

const showFukushima: Show = async ({ a }) => {
  const values = figure(a)
  const program = await once('1969', async () =>
    compile(
      (x) => {
        const { lines, ends, dots, curvature } = fukushima1969(x)
        return { lines, ends, dots, curvature }
      },
      [[1, field, field, 1]],
    ),
  )
  const { lines, ends, dots, curvature } = await program(values)
  const part = (data: Float32Array) => ({ shape: [field, field, data.length / field ** 2], data })
  const strongest = Float32Array.from({ length: field ** 2 }, (_, i) =>
    Math.max(...ends.subarray(i * 24, (i + 1) * 24)),
  )
  return {
    views: [
      pictureView(values),
      viewOf('kernels', `${lineAngles} directions`, lineKernels.map(squareTile), 4, 'kernel'),
      mapsView('lines', 'Lines', part(lines), 4),
      mapsView('ends', 'Ends', part(strongest), 1),
      mapsView('dots', 'Dots', part(dots), 1),
      mapsView('curvature', 'Curvature (1970)', part(curvature), 1),
    ],
  }
}

interface Learned {
  readonly net: Neocognitron
  readonly winners: readonly number[]
}

const place = (digit: number, right: number, down: number) => drawGlyph(digit, 3 + down, 4 + right, retina)

async function learnGlyphs(): Promise<Learned> {
  const net = new Neocognitron()
  const pictures = glyphs.map((_, digit) => place(digit, 0, 0))
  await net.learn(pictures)
  return { net, winners: await net.winners(pictures.flatMap((values) => [...values])) }
}

const showNeocognitron: Show = async ({ d, x, y }) => {
  const { net, winners } = await once('neocognitron', learnGlyphs)
  const values = place(d % glyphCount, x, y)
  const layers = await net.respond(values)
  const [winner] = await net.winners(values)
  const kernel = net.modules[0]!.a.read()
  const kernels = Array.from({ length: neocognitronPlanes }, (_, k) =>
    kernel.filter((_, i) => i % neocognitronPlanes === k),
  )
  const maps = ({ s, c }: (typeof layers)[number], l: number) => {
    const { s: edge, c: pooled } = neocognitronModules[l]!
    return [
      mapsView(`s${l + 1}`, `S-cells ${l + 1}: detect`, { shape: [edge, edge, neocognitronPlanes], data: s }, 8),
      mapsView(`c${l + 1}`, `C-cells ${l + 1}: blur`, { shape: [pooled, pooled, neocognitronPlanes], data: c }, 8),
    ]
  }
  const meant = winners.indexOf(winner!)
  return {
    views: [
      pictureView(values),
      viewOf('kernels', '24 kernels, learned', kernels.map(squareTile), 8, 'kernel'),
      ...layers.slice(0, 2).flatMap(maps),
      viewOf(
        'last',
        'Last layer: 24 cells',
        tilesOf({ shape: [1, neocognitronPlanes, 1], data: layers[2]!.c }),
        1,
        'row',
      ),
    ],
    facts: [
      {
        name: 'strongest cell',
        text: winner! < 0 ? 'none: all are silent' : `${winner}: ${meant < 0 ? 'of no digit' : `that of the ${meant}`}`,
      },
    ],
  }
}

const showSparse: Show = async (_, load) => {
  const file = readSafetensors(await load('sparse-16x16.safetensors'))
  const { shape, data } = file.tensors.get('phi')!
  const count = shape[1]!
  // every third of the 192
  const tiles = Array.from({ length: 64 }, (_, k) =>
    squareTile(Float32Array.from({ length: shape[0]! }, (_, p) => data[p * count + 3 * k]!)),
  )
  return { views: [viewOf('kernels', '64 of 192 functions', tiles, 8, 'function')] }
}

async function trainedLenet(load: Load): Promise<Model> {
  const file = readSafetensors(await load('lenet5-1998.safetensors'))
  const model = lenet5of1998()
  for (const variable of model.parameters) variable.write(file.tensors.get(variable.name)!.data)
  return model
}

const showLenet: Show = async ({ d }, load) => {
  const model = await once('lenet5', () => trainedLenet(load))
  const bytes = await once('samples', () => load('samples.bin'))
  const from = sampleCount + d * 784
  const values = Float32Array.from(bytes.subarray(from, from + 784), (v) => v / 255)
  const program = await once('lenet5 trace', async () =>
    compile((x) => model.trace(x, model.context(false)), [[1, 28, 28, 1]]),
  )
  const results = await program(values)
  /** The result of the last layer that has this shape. */
  const mapsOf = (edge: number, channels: number): Numbers => {
    const i = model.steps.findLastIndex(({ built: { shape } }) => shape[0] === edge && shape[2] === channels)
    return { shape: [edge, edge, channels], data: results[i + 1]! }
  }
  const [c1] = model.parameters
  const distances = results.at(-1)!.map((v) => -v)
  const best = distances.indexOf(Math.min(...distances))
  return {
    views: [
      pictureView(values),
      viewOf('kernels', 'C1: 6 learned kernels', tilesOf({ shape: c1!.shape, data: c1!.read() }), 3, 'kernel'),
      mapsView('c1', 'C1: 6 maps', mapsOf(28, 6), 3),
      mapsView('s2', 'S2: subsampled', mapsOf(14, 6), 3),
      mapsView('c3', 'C3: 16 maps', mapsOf(10, 16), 4),
      mapsView('s4', 'S4: subsampled', mapsOf(5, 16), 4),
      {
        ...viewOf(
          'distances',
          'Distance to the code of 0 to 9',
          tilesOf({ shape: [1, 10, 1], data: distances }),
          1,
          'row',
          'heat',
        ),
      },
    ],
    facts: [
      {
        name: 'nearest code',
        text: `that of ${best}, at ${decimals(distances[best]!, 1)}; the digit is a ${bytes[d]}`,
      },
    ],
  }
}

const showAlexnet: Show = async () => {
  const rows = summaryRows(alexnet({ kernelInitializer: 'zeros' })).filter(({ macs }) => macs > 0)
  const bars = (count: (row: (typeof rows)[number]) => number): Tile => ({
    rows: 1,
    columns: rows.length,
    values: Float32Array.from(rows, count),
  })
  const view = (name: string, title: string, tile: Tile): View => {
    const seen = viewOf(name, title, [tile], 1, 'row', 'heat')
    const { tiles: _, ...rest } = seen
    return { ...rest, texts: [...Float32Array.from(tile.values)].map(counted) }
  }
  return {
    views: [
      view(
        'parameters',
        'Parameters of the 5 convolutions and 3 dense layers',
        bars(({ parameters }) => parameters),
      ),
      view(
        'macs',
        'Their multiply-adds',
        bars(({ macs }) => macs),
      ),
    ],
  }
}

/** How often each input counts for the middle output, after each of some 3x3 layers. */
function pathCounts(dilations: readonly number[], size: number) {
  const ones = tensor(new Float32Array(9).fill(1), [3, 3, 1, 1])
  return compile(
    (x) => {
      const layers: Tensor[] = []
      let y: Tensor = x
      for (const dilation of dilations) {
        y = conv(y, ones, { padding: 'same', dilation })
        layers.push(y)
      }
      return layers
    },
    [[1, size, size, 1]],
  )
}

const seen = 35

const showDilated: Show = async () => {
  const dilations = [1, 1, 2, 4, 8]
  const point = new Float32Array(seen ** 2)
  point[(seen ** 2 - 1) / 2] = 1
  const counts = await (await once('dilated', async () => pathCounts(dilations, seen)))(point)
  const plain = await (await once('plain', async () => pathCounts([1, 1, 1, 1, 1], seen)))(point)
  const heat = (name: string, title: string, all: readonly Float32Array[]): View =>
    // each tile by its own largest: it's where that counts
    viewOf(
      name,
      title,
      all.map((values) => squareTile(values.map((v) => v / limitOf(values)))),
      5,
      'layer',
      'heat',
    )
  return {
    views: [
      heat('dilated', 'Dilations 1, 1, 2, 4, 8: what one output sees', counts),
      heat('plain', 'Without dilation', plain),
    ],
  }
}

const showDeeplab: Show = async () => {
  const rates = [1, 6, 12, 18]
  const edge = 2 * rates.at(-1)! + 1
  const ones = tensor(new Float32Array(9).fill(1), [3, 3, 1, 1])
  const program = await once('deeplab', async () =>
    compile((x) => rates.map((dilation) => conv(x, ones, { padding: 'same', dilation })), [[1, edge, edge, 1]]),
  )
  const point = new Float32Array(edge ** 2)
  point[(edge ** 2 - 1) / 2] = 1
  return { views: [viewOf('taps', 'Taps at rates 1, 6, 12, 18', (await program(point)).map(squareTile), 4, 'rate')] }
}

const channels = 12

const showXception: Show = async () => {
  const matrix = (value: (from: number, to: number) => number): Tile =>
    squareTile(Float32Array.from({ length: channels ** 2 }, (_, i) => value(i % channels, Math.floor(i / channels))))
  const view = (name: string, title: string, tile: Tile): View => ({
    ...viewOf(name, title, [tile], 1, 'matrix', 'heat'),
    limit: 9,
  })
  return {
    views: [
      view(
        'standard',
        `3×3, ${channels} to ${channels} channels: ${9 * channels ** 2} weights`,
        matrix(() => 9),
      ),
      view(
        'depthwise',
        `depthwise: ${9 * channels} weights`,
        matrix((from, to) => (from === to ? 9 : 0)),
      ),
      view(
        'pointwise',
        `then pointwise: ${channels ** 2} weights`,
        matrix(() => 1),
      ),
    ],
  }
}

const shows: Readonly<Record<SystemId, Show>> = {
  cells: showCells,
  fukushima1969: showFukushima,
  neocognitron: showNeocognitron,
  sparse: showSparse,
  lenet5: showLenet,
  alexnet: showAlexnet,
  dilated: showDilated,
  deeplab: showDeeplab,
  xception: showXception,
}

/** What the page shows in a state. */
export async function show(state: HistoryState, load: Load): Promise<Frame> {
  const { name, year, facts } = systems[state.e]
  const { views, facts: own = [] } = await shows[state.e](state, load)
  const said = own.map((fact) => `${fact.name}: ${fact.text}`).join('. ')
  return {
    views,
    ...(own[0] ? { answer: own[0] } : {}),
    facts: [...own.slice(1), ...facts],
    speak: `${year}, ${name}. ${said}`,
  }
}
