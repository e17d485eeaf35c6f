import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import { readImage, resize, withChannels } from '../../data/index.ts'
import type { Scenes } from './segmentation.ts'
import { dataFolder, type Settings } from './settings.ts'

export const streetClasses = [
  ...['sky', 'building', 'pole', 'road', 'pavement', 'tree', 'sign', 'fence', 'car', 'pedestrian', 'bicyclist'],
]

const ending = '.label.png'

/** Frames of one part of CamVid (Brostow et al. 2008) brought to a size; labels by nearest neighbours. */
async function part(folder: string, height: number, width: number): Promise<Scenes> {
  const names = (await readdir(folder)).filter((name) => name.endsWith(ending)).sort()
  if (names.length === 0) fail('camvid', `there are no NAME${ending} in ${folder}`, 'Put frames NAME.png beside them')
  const size = height * width
  const pictures = new Float32Array(names.length * size * 3)
  const labels = new Float32Array(names.length * size)
  for (const [n, name] of names.entries()) {
    const frame = withChannels(await readImage(join(folder, name.replace(ending, '.png'))), 3)
    pictures.set(
      Float32Array.from(resize(frame, width, height).data, (v) => v / 255),
      n * size * 3,
    )
    const truth = await readImage(join(folder, name))
    for (let i = 0; i < size; i++) {
      const y = Math.floor(((Math.floor(i / width) + 0.5) * truth.height) / height)
      const x = Math.floor((((i % width) + 0.5) * truth.width) / width)
      labels[n * size + i] = truth.data[(y * truth.width + x) * truth.channels]!
    }
  }
  return { height, width, pictures, labels, classes: streetClasses }
}

/** Street scenes to learn from and to be measured on; undefined where there are none. */
export async function camvid(settings: Settings, height: number, width: number) {
  const name = 'camvid-240x180'
  const origin = `Frames NAME.png with NAME${ending} (0 to 10, 11 = void) in ${name}/train, /val and /test.`
  const folder = dataFolder(settings, name, origin)
  if (!folder) return undefined
  const of = (name: string) => part(join(folder, name), height, width)
  return { train: await of('train'), validation: await of('val'), test: await of('test') }
}
