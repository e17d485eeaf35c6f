// Shapes in space: a network of three-dimensional convolutions.
import { randomSource } from '../../base/random.ts'
import { type Dataset, datasetOf, modelnet10, varyVolumes } from '../../data/index.ts'
import { volume } from '../../models/volume.ts'
import type { Model } from '../../nn/index.ts'
import { progress } from '../progress.ts'
import type { Panel } from '../show.ts'
import { percent } from '../terminal.ts'
import { rowsFile } from './drawing.ts'
import type { Outcome, ReportFile } from './report.ts'
import { dataFolder, type Settings } from './settings.ts'
import { totals } from './sizes.ts'

async function trained(settings: Settings, model: Model, train: Dataset, epochs: number, batchSize: number) {
  const steps = epochs * Math.ceil(train.length / batchSize)
  await model.fit(train, {
    epochs,
    batchSize,
    optimizer: { name: 'adamW', learningRate: 0.002, weightDecay: 0.01 },
    schedule: { name: 'cosineDecay', warmUp: Math.floor(steps / 10) },
    callbacks: [progress(settings.terminal, batchSize)],
    verbose: false,
  })
}

/** How far down one looks onto each place from above: the first of each class. */
function fromAbove({ classes, labels, batch, shape }: Dataset): ReportFile {
  const edge = shape[0]!
  const panels = classes.map((_, label): Panel => {
    const { x } = batch([labels.indexOf(label as never)])
    const height = (column: number) => x.subarray(column * edge, (column + 1) * edge).lastIndexOf(1) + 1
    return { height: edge, width: edge, values: Float32Array.from({ length: edge * edge }, (_, i) => height(i)) }
  })
  const caption = `shapes from above, strong = high: ${classes.join(', ')}`
  return rowsFile('shapes.png', [{ caption, row: { panels, pixel: 2 } }])
}

/** Copies of a shape that vote on its class; in the paper it's the twelve that are turned. */
const votes = 12

/** Share of shapes that are named right by the sum of the answers to copies, changed as in training. */
async function voted(model: Model, changed: Dataset): Promise<number> {
  const { length, classes, labels, batch } = changed
  let right = 0
  for (let n = 0; n < length; n++) {
    const copies = Array.from({ length: votes }, (_, epoch) => batch([n], epoch).x)
    const size = copies[0]!.length
    const all = new Float32Array(votes * size)
    for (const [i, copy] of copies.entries()) all.set(copy, i * size)
    const answers = await model.predict(all)
    const sums = classes.map((_, c) => answers.reduce((sum, v, i) => (i % classes.length === c ? sum + v : sum), 0))
    right += Number(sums.indexOf(Math.max(...sums)) === labels[n])
  }
  return right / length
}

async function fully(settings: Settings, path: string): Promise<Outcome> {
  const { train, test } = await modelnet10({ path })
  const model = volume()
  const varied = (data: Dataset) => varyVolumes(data, { shift: 1 }, 1)
  await trained(settings, model, varied(train), 12, 32)
  const { accuracy } = await model.evaluate(test)
  const share = await voted(model, varied(test))
  return {
    measures: [
      { name: 'ModelNet10, 908 test shapes as they are', value: accuracy!, show: percent },
      { name: `${votes} changed copies of each vote`, value: share, show: percent, atLeast: 0.88, paper: '92%' },
    ],
    files: [
      fromAbove(test),
      { name: 'volume.safetensors', caption: 'trained on ModelNet10', content: model.toBytes() },
    ],
  }
}

const edge = 20
const bodies = ['sphere', 'cube', 'cylinder']

/** Bodies made here, of any size and place, with one voxel of a hundred turned over. */
function madeBodies(count: number, seed: number): Dataset {
  const random = randomSource(seed)
  const labels = Uint8Array.from({ length: count }, (_, i) => i % bodies.length)
  const values = new Float32Array(count * edge ** 3)
  for (let n = 0; n < count; n++) {
    const radius = 3.5 + 2.5 * random.next()
    const middle = [0, 1, 2].map(() => 6.5 + 2 * random.next())
    for (let i = 0; i < edge ** 3; i++) {
      const place = [Math.floor(i / edge ** 2), Math.floor(i / edge) % edge, i % edge]
      const [x, y, z] = place.map((v, axis) => Math.abs(v - middle[axis]!)) as [number, number, number]
      const round = [Math.hypot(x, y, z), Math.max(x, y, z), Math.max(Math.hypot(x, y), z)][labels[n]!]!
      const inside = round < (labels[n] === 1 ? 0.85 * radius : radius)
      values[n * edge ** 3 + i] = Number(inside !== random.next() < 0.01)
    }
  }
  return datasetOf(values, labels, [edge, edge, edge, 1], bodies)
}

async function quickly(settings: Settings): Promise<Outcome> {
  const model = volume({ classes: bodies.length, inputShape: [edge, edge, edge, 1] })
  const test = madeBodies(90, 2)
  await trained(settings, model, madeBodies(600, 1), 12, 16)
  const { accuracy } = await model.evaluate(test)
  const name = 'spheres, cubes, cylinders (made here)'
  return { measures: [{ name, value: accuracy!, show: percent, atLeast: 0.95 }], files: [fromAbove(test)] }
}

/** `fovea reproduce volume`. */
export async function reproduceVolume(settings: Settings): Promise<Outcome> {
  const lines = [...totals('volume', 'ten classes'), ...totals('voxnet', 'as published, 40 classes')]
  if (settings.quick) return { ...(await quickly(settings)), lines }
  const path = dataFolder(settings, 'modelnet10', 'Voxels of https://modelnet.cs.princeton.edu, by binvox -d 32.')
  return path === undefined ? { lines } : { ...(await fully(settings, path)), lines }
}
