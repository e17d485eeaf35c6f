// DeepLab: atrous rates and their pyramid on drawn discs of three sizes, the random field on blurred answers,
// and both on street scenes.
import { type RandomFieldOptions, randomField } from '../../models/crf.ts'
import { deeplabMini, deeplabV2, deeplabV3, deeplabVgg } from '../../models/deeplab.ts'
import { deeplabV3Plus } from '../../models/deeplab-plus.ts'
import type { Model } from '../../nn/index.ts'
import { percent } from '../terminal.ts'
import { camvid } from './camvid.ts'
import { type Named, sceneFile } from './pictures.ts'
import type { Measure, Outcome, ReportFile } from './report.ts'
import { farCue, threeScales } from './scenes.ts'
import {
  confusion,
  firstScenes,
  largest,
  meanIoU,
  measured,
  pixelAccuracy,
  type Scenes,
  type SegmenterOptions,
  sceneCount,
  trainSegmenter,
} from './segmentation.ts'
import type { Settings } from './settings.ts'
import { light, totalsOf } from './sizes.ts'

const points = (share: number) => percent(share, 1)

/** The pyramid's rates, and the one that stands alone for comparison. */
const pyramid = [2, 4, 6]
const single = [4]

async function trained(train: Scenes, rates: readonly number[], fit: SegmenterOptions, settings: Settings) {
  const { height, width, classes } = train
  const model = deeplabMini({ inputShape: [height, width, 3], classes: classes.length, rates })
  await trainSegmenter(model, train, fit, settings)
  return model
}

/** Classes of all pixels after the random field. */
export function refined(scenes: Scenes, logits: Float32Array, options: RandomFieldOptions): Uint8Array {
  const { height, width, pictures, classes } = scenes
  const size = height * width
  const answers = new Uint8Array(scenes.labels.length)
  for (let n = 0; n < sceneCount(scenes); n++) {
    const colours = pictures.subarray(n * size * 3, (n + 1) * size * 3).map((v) => 255 * v)
    const own = logits.slice(n * size * classes.length, (n + 1) * size * classes.length)
    answers.set(largest(randomField({ height, width, colours, logits: own }, options), classes.length), n * size)
  }
  return answers
}

const scoreOf = ({ labels, classes }: Scenes, answers: Uint8Array) =>
  meanIoU(confusion(labels, answers, classes.length))

/** The truth as a network would say it that sees badly: one-hot, averaged over a window. */
export function blurredTruth({ height, width, labels, classes }: Scenes, reach: number): Float32Array {
  const [count, size] = [classes.length, height * width]
  const logits = new Float32Array(labels.length * count)
  for (let i = 0; i < labels.length; i++) {
    const [n, y, x] = [Math.floor(i / size), Math.floor((i % size) / width), i % width]
    const shares = new Float64Array(count)
    for (let dy = -reach; dy <= reach; dy++)
      for (let dx = -reach; dx <= reach; dx++) {
        const [r, c] = [Math.min(height - 1, Math.max(0, y + dy)), Math.min(width - 1, Math.max(0, x + dx))]
        shares[labels[n * size + r * width + c]!]! += 1
      }
    for (let c = 0; c < count; c++) logits[i * count + c] = Math.log(shares[c]! / (2 * reach + 1) ** 2 + 0.01)
  }
  return logits
}

/** The random field on blurred answers: lattice and all pairs. */
function blurred(): { measures: Measure[]; named: Named[]; scenes: Scenes } {
  const scenes = farCue(6, 5, 48)
  const logits = blurredTruth(scenes, 3)
  const before = largest(logits, scenes.classes.length)
  const field = { alpha: 12, beta: 30, w1: 6 }
  const lattice = refined(scenes, logits, field)
  const few = firstScenes(scenes, 2)
  const exact = refined(few, logits.slice(0, few.labels.length * scenes.classes.length), { ...field, filter: 'exact' })
  const same = exact.filter((label, i) => label === lattice[i]).length / exact.length
  const gain = scoreOf(scenes, lattice) - scoreOf(scenes, before)
  return {
    scenes,
    named: [
      ['blurred', before],
      ['after the random field', lattice],
    ],
    measures: [
      { name: 'blurred answers: mean IoU', value: scoreOf(scenes, before), show: points },
      { name: 'the random field adds', value: gain, show: points, atLeast: 0.02, paper: '3 to 5%' },
      { name: 'pixels on which lattice and all pairs agree', value: same, show: points, atLeast: 0.99 },
    ],
  }
}

/** The published networks, for 21 classes. */
const sizes = () => [
  ...totalsOf(deeplabVgg(light), 'v1, LargeFOV'),
  ...totalsOf(deeplabVgg({ ...light, rates: [6, 12, 18, 24] }), 'v2, ASPP-L on VGG-16'),
  ...totalsOf(deeplabV2(light), 'v2 on ResNet-101'),
  ...totalsOf(deeplabV3(light), 'v3 on ResNet-50'),
  ...totalsOf(deeplabV3Plus(light), 'v3+ on Xception-65, in Keras 41,258,213'),
]

/** `fovea reproduce deeplab`. */
export async function reproduceDeeplab(settings: Settings): Promise<Outcome> {
  const field = blurred()
  const measures = [...field.measures]
  const files: ReportFile[] = [await sceneFile('random-field.png', field.scenes, 4, field.named)]
  const { quick } = settings
  const [train, test] = [threeScales(quick ? 30 : 80, 1), threeScales(quick ? 10 : 60, 2)]
  const fit = { epochs: quick ? 4 : 8, learningRate: 0.004, batchSize: 4 }
  const wide = await trained(train, pyramid, fit, settings)
  const score = meanIoU(await measured(wide, test))
  if (quick) {
    measures.push({ name: 'discs of three sizes, briefly: mean IoU', value: score, show: points, atLeast: 0.3 })
    return { measures, lines: sizes(), files }
  }
  const narrow = await trained(train, single, fit, settings)
  const alone = meanIoU(await measured(narrow, test))
  measures.push(
    { name: 'discs of three sizes: one rate', value: alone, show: points },
    { name: 'discs of three sizes: pyramid', value: score, show: points, atLeast: alone + 0.02 },
  )
  files.push(
    await sceneFile('three-scales.png', test, 4, [
      ['one rate', narrow],
      ['pyramid', wide],
    ]),
  )
  const seen = await street(settings)
  return { measures: [...measures, ...seen.measures], lines: sizes(), files: [...files, ...seen.files] }
}

/** What is tried on frames for validation. */
const fields: readonly RandomFieldOptions[] = [
  { w1: 1, alpha: 16, beta: 6, w2: 1 },
  { w1: 2, alpha: 16, beta: 10, w2: 1 },
  { w1: 1, alpha: 8, beta: 10, w2: 0.5 },
]
/** As many. */
const tries = 20

/** CamVid: one rate and the pyramid, without and with the random field. */
async function street(settings: Settings): Promise<{ measures: Measure[]; files: ReportFile[] }> {
  const data = await camvid(settings, 96, 128)
  if (!data) return { measures: [], files: [] }
  const { train, validation, test } = data
  const fit = { epochs: 30, learningRate: 0.003, batchSize: 4, augmented: true }
  const wide = await trained(train, pyramid, fit, settings)
  const narrow = await trained(train, single, fit, settings)
  const logitsOf = (model: Model, scenes: Scenes) => model.predict(scenes.pictures, { batchSize: 8 })
  const few = firstScenes(validation, tries)
  const known = await logitsOf(wide, few)
  const tried = fields.map((field) => ({ field, score: scoreOf(few, refined(few, known, field)) }))
  const { field } = tried.reduce((a, b) => (b.score > a.score ? b : a))
  const after = refined(test, await logitsOf(wide, test), field)
  const counts = await measured(wide, test)
  const score = meanIoU(counts)
  const alone = meanIoU(await measured(narrow, test))
  return {
    measures: [
      { name: 'CamVid, 96x128: pyramid, mean IoU', value: score, show: points, atLeast: 0.35 },
      { name: 'CamVid, 96x128: pyramid, pixels', value: pixelAccuracy(counts), show: points },
      { name: 'the pyramid adds to one rate', value: score - alone, show: points, atLeast: 0, paper: '3.2% (VOC)' },
      {
        name: 'the random field adds',
        value: scoreOf(test, after) - score,
        show: points,
        atLeast: 0,
        paper: '3 to 5%',
      },
    ],
    files: [
      await sceneFile('camvid.png', test, 4, [
        ['pyramid', wide],
        ['and random field', after],
      ]),
      { name: 'deeplab.safetensors', caption: 'the network for CamVid', content: wide.toBytes() },
    ],
  }
}
