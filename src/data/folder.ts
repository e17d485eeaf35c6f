import { fail } from '../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../base/shape.ts'
import { type Dataset, datasetOf, type Split, split } from './dataset.ts'
import { type Image, resize, withChannels } from './image.ts'
import { readImage } from './images.ts'

/** How pictures of a folder are read. */
export interface FolderOptions {
  /** `[height, width, channels]` (1 grey or 3 RGB) that every picture is brought to; that of the first if left out. */
  shape?: Shape
}

/** How pictures of a folder are read and parted into `train` and `test`. */
export interface FolderSplitOptions extends FolderOptions {
  /** Part of the pictures that becomes `test` where the folder has no `train` and `test` of its own. Default 0.2. */
  fraction?: number
  /** Seed of the split. */
  seed?: number
}

/** A data set in memory takes one byte a value; this many at most. */
const mostBytes = 2 ** 31

/**
 * A data set from a folder of class folders (Node only): each folder in it is a class, the PNG and JPEG files in that
 * are its samples. Classes and files are in the order of their names; other files are passed over.
 */
export async function imageFolder(path: string, options: FolderOptions = {}): Promise<Dataset> {
  const classes = await foldersIn(path)
  if (classes.length === 0)
    fail('imageFolder', `${path} has no folders in it`, 'Give a folder with one folder of images for each class')
  const files: { path: string; label: number }[] = []
  for (const [label, name] of classes.entries()) {
    const images = await imagesIn(`${path}/${name}`)
    if (images.length === 0)
      fail('imageFolder', `class folder ${path}/${name} has no images`, 'Put PNG or JPEG files into it, or remove it')
    for (const image of images) files.push({ path: image, label })
  }
  const shape = options.shape ?? shapeOf(await readImage(files[0].path))
  checkShape(shape)
  const size = sizeOf(shape)
  if (files.length * size > mostBytes)
    fail(
      'imageFolder',
      `${files.length} images of ${showShape(shape)} take ${files.length * size} bytes, more than ${mostBytes}`,
      'Give a smaller shape',
    )
  const values = new Uint8Array(files.length * size)
  for (const [index, file] of files.entries()) {
    const image = await readImage(file.path)
    values.set(fitted(image, shape, file.path, options.shape !== undefined).data, index * size)
  }
  const labels = Int32Array.from(files, (file) => file.label)
  return datasetOf(values, labels, shape, classes)
}

/**
 * `train` and `test` from a folder: from its folders of these names if it has both, each with class folders, else by
 * splitting its pictures by chance, which the seed determines.
 */
export async function imageFolderSplit(path: string, options: FolderSplitOptions = {}): Promise<Split> {
  const { fraction = 0.2, seed = 0, ...rest } = options
  const names = await foldersIn(path)
  if (!(names.includes('train') && names.includes('test'))) {
    const [test, train] = split(await imageFolder(path, rest), fraction, seed)
    return { train, test }
  }
  const train = await imageFolder(`${path}/train`, rest)
  const test = await imageFolder(`${path}/test`, { shape: train.shape })
  if (test.classes.join('\n') !== train.classes.join('\n'))
    fail(
      'imageFolderSplit',
      `train has classes [${train.classes.join(', ')}], test has [${test.classes.join(', ')}]`,
      'Give both the same class folders',
    )
  return { train, test }
}

const shapeOf = (image: Image): Shape => [image.height, image.width, image.channels < 3 ? 1 : 3]

function checkShape(shape: Shape): void {
  const [height, width, channels] = shape
  const whole = Number.isSafeInteger(height) && Number.isSafeInteger(width) && height > 0 && width > 0
  if (shape.length !== 3 || !whole || (channels !== 1 && channels !== 3))
    fail('imageFolder', `shape is ${showShape(shape)}`, 'Give [height, width, channels], with 1 or 3 channels')
}

function fitted(image: Image, shape: Shape, path: string, wanted: boolean): Image {
  const [height, width, channels] = shape
  if (!wanted && (image.height !== height || image.width !== width))
    fail(
      'imageFolder',
      `${path} has ${image.height}x${image.width} pixels, the first image has ${height}x${width}`,
      'Give {shape: [height, width, channels]}, to which all images are brought',
    )
  return resize(withChannels(image, channels as 1 | 3), width, height)
}

async function entriesOf(path: string) {
  const { readdir } = await import('node:fs/promises')
  const entries = await readdir(path, { withFileTypes: true }).catch((error: Error) =>
    fail('imageFolder', `${path} can't be read (${error.message})`, 'Give a folder with one folder for each class'),
  )
  // By code unit, not by locale: the same on every machine.
  return entries.sort((a, b) => (a.name < b.name ? -1 : 1)).filter(({ name }) => !name.startsWith('.'))
}

async function foldersIn(path: string): Promise<string[]> {
  return (await entriesOf(path)).filter((entry) => entry.isDirectory()).map(({ name }) => name)
}

async function imagesIn(path: string): Promise<string[]> {
  const names = (await entriesOf(path)).map(({ name }) => name)
  return names.filter((name) => /\.(png|jpe?g)$/i.test(name)).map((name) => `${path}/${name}`)
}
