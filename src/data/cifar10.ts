import { fail } from '../base/errors.ts'
import { filesInTarGz, findData } from './archive.ts'
import { type Dataset, datasetOf, type Split } from './dataset.ts'
import { imageFolderSplit } from './folder.ts'
import { withChannels } from './image.ts'
import { decodeImage } from './images.ts'

/** Where CIFAR-10 lies. */
export interface Cifar10Options {
  /**
   * The folder of the binary version (`data_batch_1.bin` and so on), a folder with class folders of images in `train`
   * and `test`, or a .tar.gz of such a folder.
   */
  readonly path?: string
}

const classes = ['airplane', 'automobile', 'bird', 'cat', 'deer', 'dog', 'frog', 'horse', 'ship', 'truck']
const edge = 32
const plane = edge * edge
const shape = [edge, edge, 3]

/**
 * CIFAR-10 (Krizhevsky, "Learning multiple layers of features from tiny images", 2009): 50,000 pictures to train,
 * 10,000 to test, samples `[32, 32, 3]`. It comes from `path`, else from `cifar10` or `cifar10-jpeg.tar.gz` in the
 * folder that `FOVEA_DATA` names. Copies as JPEG have lost a little: say so beside results. Node only.
 */
export async function cifar10(options: Cifar10Options = {}): Promise<Split> {
  const names = ['cifar10', 'cifar10-jpeg.tar.gz']
  const remedy = 'Fetch the binary version from https://www.cs.toronto.edu/~kriz/cifar.html and give {path}'
  const path = await findData('cifar10', options.path, names, remedy)
  const { existsSync } = await import('node:fs')
  const { readFile, stat } = await import('node:fs/promises')
  if ((await stat(path)).isFile()) {
    const files = await filesInTarGz(await readFile(path), path)
    return { train: await partOf(files, 'train', path), test: await partOf(files, 'test', path) }
  }
  if (!existsSync(`${path}/data_batch_1.bin`)) return imageFolderSplit(path, { shape })
  const batch = async (name: string) => readFile(`${path}/${name}.bin`)
  const train = await Promise.all([1, 2, 3, 4, 5].map((i) => batch(`data_batch_${i}`)))
  return { train: cifarBatches(train, path), test: cifarBatches([await batch('test_batch')], path) }
}

/** Records of one label byte, then the planes of red, green and blue, 1024 bytes each. */
export function cifarBatches(batches: readonly Uint8Array[], what = 'the batches'): Dataset {
  const record = 1 + 3 * plane
  for (const { length } of batches)
    if (length === 0 || length % record !== 0)
      fail('cifarBatches', `${what}: ${length} bytes aren't records of ${record}`, 'Give whole files of CIFAR-10')
  const records = batches.flatMap((batch) =>
    Array.from({ length: batch.length / record }, (_, i) => batch.subarray(i * record, (i + 1) * record)),
  )
  const values = new Uint8Array(records.length * 3 * plane)
  records.forEach((bytes, n) => {
    for (let i = 0; i < plane; i++)
      for (let c = 0; c < 3; c++) values[(n * plane + i) * 3 + c] = bytes[1 + c * plane + i]!
  })
  const labels = Uint8Array.from(records, (bytes) => bytes[0]!)
  return datasetOf(values, labels, shape, classes)
}

/** The pictures `part/CLASS/NAME` of an archive, by class and name. */
async function partOf(files: ReadonlyMap<string, Uint8Array>, part: string, what: string): Promise<Dataset> {
  const names = [...files.keys()].filter((name) => name.startsWith(`${part}/`)).sort()
  if (names.length === 0) fail('cifar10', `${what} has no ${part}/CLASS/NAME.jpg`, 'Give an archive that has')
  const values = new Uint8Array(names.length * 3 * plane)
  const labels = new Uint8Array(names.length)
  for (const [i, name] of names.entries()) {
    const label = classes.indexOf(name.split('/')[1]!)
    const image = withChannels(await decodeImage(files.get(name)!, { name: `${name} in ${what}`, maxPixels: plane }), 3)
    if (label < 0 || image.width !== edge || image.height !== edge)
      fail('cifar10', `${name} in ${what} has ${image.width}x${image.height} pixels`, 'Give the 10 classes, 32x32')
    labels[i] = label
    values.set(image.data, i * 3 * plane)
  }
  return datasetOf(values, labels, shape, classes)
}
