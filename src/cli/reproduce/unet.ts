// U-Net on street scenes, and what its transposed convolutions do to an even picture.
import { compile } from '../../compile.ts'
import { fill } from '../../graph/tensor.ts'
import { enlarging, type UnetOptions, unet, unetMini } from '../../models/unet.ts'
import { sequential } from '../../nn/index.ts'
import { grouped } from '../../nn/summary.ts'
import { percent } from '../terminal.ts'
import { camvid } from './camvid.ts'
import { rowsFile } from './drawing.ts'
import { sceneFile } from './pictures.ts'
import type { Measure, Outcome, ReportFile } from './report.ts'
import { farCue } from './scenes.ts'
import { meanIoU, measured, pixelAccuracy, type Scenes, type SegmenterOptions, trainSegmenter } from './segmentation.ts'
import type { Settings } from './settings.ts'

const points = (share: number) => percent(share, 1)

type Up = NonNullable<UnetOptions['up']>
export const ups: readonly Up[] = ['transposed3', 'transposed4', 'transposed2', 'resize']

/** What enlarging makes of an even map of 12x12, with 16 seeds of first weights: [seeds][24 x 24]. */
async function enlarged(up: Up): Promise<Float32Array[]> {
  const maps: Float32Array[] = []
  for (let seed = 1; seed <= 16; seed++) {
    const model = sequential([12, 12, 4], enlarging(1, up), { seed })
    const program = compile(() => model.apply(fill([1, 12, 12, 4], 1), model.context(false)), [])
    maps.push(await program())
  }
  return maps
}

/** Of a map's variance off the border, what is at the highest frequency of either axis or both, by the mean square. */
function checkerboard(map: Float32Array, edge = 24, border = 4): number {
  let [rows, columns, both, squares, count] = [0, 0, 0, 0, 0]
  for (let y = border; y < edge - border; y++)
    for (let x = border; x < edge - border; x++) {
      const v = map[y * edge + x]!
      rows += v * (-1) ** y
      columns += v * (-1) ** x
      both += v * (-1) ** (x + y)
      squares += v * v
      count++
    }
  return (rows ** 2 + columns ** 2 + both ** 2) / count / squares
}

/** Mean share of the checkerboard in what each way of enlarging makes of an even map, before any training. */
export async function checkerboards(): Promise<{ shares: Record<Up, number>; file: ReportFile }> {
  const entries: [Up, Float32Array[]][] = []
  for (const up of ups) entries.push([up, await enlarged(up)])
  const mean = (list: readonly Float32Array[]) => list.reduce((sum, map) => sum + checkerboard(map), 0) / list.length
  const rows = entries.map(([up, maps]) => ({
    caption: up,
    row: { panels: maps.slice(0, 6).map((values) => ({ height: 24, width: 24, values })), pixel: 3 },
  }))
  const shares = Object.fromEntries(entries.map(([up, maps]) => [up, mean(maps)])) as Record<Up, number>
  return { shares, file: rowsFile('checkerboard.png', rows) }
}

async function trained(train: Scenes, fit: SegmenterOptions, options: UnetOptions, settings: Settings) {
  const { height, width, classes } = train
  const model = unetMini({ inputShape: [height, width, 3], classes: classes.length, ...options })
  await trainSegmenter(model, train, fit, settings)
  return model
}

/** Published sizes: figure 1. */
function published(): Measure {
  const model = unet({ padding: 'valid', kernelInitializer: 'zeros' })
  const convolutions = model.steps.filter(({ layer }) => layer.kind.startsWith('conv')).length
  const name = `as published: convolutional layers (${grouped(model.countParameters())} parameters)`
  return { name, value: convolutions, show: String, atLeast: 23, atMost: 23, paper: '23' }
}

/** `fovea reproduce unet`. */
export async function reproduceUnet(settings: Settings): Promise<Outcome> {
  const { shares, file } = await checkerboards()
  const measures: Measure[] = [
    published(),
    { name: 'checkerboard of an even map, 3x3 stride 2', value: shares.transposed3, show: points },
    { name: '4x4 stride 2', value: shares.transposed4, show: points },
    { name: '2x2 stride 2', value: shares.transposed2, show: points },
    { name: 'nearest, then 3x3', value: shares.resize, show: points, atMost: 1e-6 },
  ]
  const files = [file]
  if (settings.quick) {
    const [train, test] = [farCue(120, 1, 32), farCue(30, 2, 32)]
    const model = await trained(train, { epochs: 8, learningRate: 0.004, batchSize: 4 }, {}, settings)
    const counts = await measured(model, test)
    measures.push({
      name: 'discs and markers of 32x32, pixels',
      value: pixelAccuracy(counts),
      show: points,
      atLeast: 0.95,
    })
    files.push(await sceneFile('discs.png', test, 4, [['U-Net', model]]))
  } else {
    const data = await camvid(settings, 96, 128)
    if (data) {
      const fit = { epochs: 40, learningRate: 0.003, batchSize: 4, augmented: true }
      const model = await trained(data.train, fit, {}, settings)
      const counts = await measured(model, data.test)
      measures.push(
        { name: 'CamVid, 96x128: mean IoU', value: meanIoU(counts), show: points, atLeast: 0.3 },
        { name: 'CamVid, 96x128: pixels', value: pixelAccuracy(counts), show: points },
      )
      files.push({ name: 'unet.safetensors', caption: 'the network for CamVid', content: model.toBytes() })
      files.push(await sceneFile('camvid.png', data.test, 4, [['U-Net', model]]))
    }
  }
  return { measures, files }
}
