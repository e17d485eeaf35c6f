import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { createTar } from 'nanotar'
import { afterAll, describe, expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { filesInTarGz, findData } from '../../src/data/archive.ts'
import {
  cifar10,
  cifarBatches,
  datasetOf,
  distort,
  encodePng,
  lighting,
  modelnet10,
  spokenDigits,
  varySounds,
  varyVolumes,
  voxelDataset,
} from '../../src/data/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-sets-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const at = (name: string) => join(folder, name)

/** A .tar.gz with files. */
const archive = (files: Record<string, Uint8Array>) =>
  gzipSync(createTar(Object.entries(files).map(([name, data]) => ({ name, data }))))

describe('archives', () => {
  test('files by their names', async () => {
    const files = await filesInTarGz(archive({ 'a/b.txt': Uint8Array.of(1, 2), 'c.txt': Uint8Array.of(3) }), 'x.tar.gz')
    expect([...files].map(([name, data]) => [name, ...data])).toEqual([
      ['a/b.txt', 1, 2],
      ['c.txt', 3],
    ])
  })

  test('a file that is no archive is an error', async () => {
    await expect(filesInTarGz(Uint8Array.of(1, 2, 3), 'x.tar.gz')).rejects.toThrow('x.tar.gz is damaged or cut short')
  })

  test('a data set that is nowhere is an error that says where it was looked for', async () => {
    await expect(findData('sets', at('nothing'), ['a', 'b'], 'Fetch it')).rejects.toThrow(
      `sets: there is no ${at('nothing')}. Fetch it; or set FOVEA_DATA to the folder that has a or b`,
    )
  })
})

describe('CIFAR-10', () => {
  test('binary records are planes of red, green, blue', () => {
    const record = Uint8Array.from({ length: 3073 }, (_, i) => (i === 0 ? 7 : Math.floor((i - 1) / 1024) * 51))
    const { length, shape, labels, batch } = cifarBatches([record])
    expect([length, ...shape, ...labels]).toEqual([1, 32, 32, 3, 7])
    expect([...batch([0]).x.subarray(0, 6)].map((v) => Math.round(5 * v))).toEqual([0, 1, 2, 0, 1, 2])
    expect(() => cifarBatches([new Uint8Array(100)])).toThrow("100 bytes aren't records of 3073")
  })

  test('an archive of class folders', async () => {
    const picture = encodePng({ width: 32, height: 32, channels: 3, data: new Uint8Array(3072).fill(255) })
    writeFileSync(at('cifar.tar.gz'), archive({ 'train/cat/0.png': picture, 'test/truck/0.png': picture }))
    const { train, test: tests } = await cifar10({ path: at('cifar.tar.gz') })
    expect([train.length, ...train.labels, ...tests.labels]).toEqual([1, 3, 9])
    expect(Math.min(...train.batch([0]).x)).toBe(1)
    writeFileSync(at('other.tar.gz'), archive({ 'train/plane/0.png': picture, 'test/cat/0.png': picture }))
    await expect(cifar10({ path: at('other.tar.gz') })).rejects.toThrow('Give the 10 classes, 32x32')
  })
})

test('spoken digits: by digit, voice and take, each as loud', async () => {
  const header = Buffer.from(
    'RIFF\0\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x80\x3e\0\0\x02\0\x10\0data\0\0\0\0',
    'latin1',
  )
  header.writeUInt32LE(8, 40)
  const file = (loud: number) =>
    new Uint8Array(Buffer.concat([header, Buffer.from(Int16Array.of(loud, -loud, loud, loud).buffer)]))
  const files = { 'recordings/7_ann_12.wav': file(1000), 'recordings/3_bob_0.wav': file(9000) }
  writeFileSync(at('fsdd.tar.gz'), archive(files))
  const { all, speakers, takes } = await spokenDigits({ path: at('fsdd.tar.gz'), length: 6 })
  expect([[...all.labels], speakers, takes]).toEqual([
    [3, 7],
    ['bob', 'ann'],
    [0, 12],
  ])
  expect([...all.batch([1]).x].map((v) => Math.round(1000 * v) / 1000)).toEqual([1, -1, 1, 1, 0, 0])
})

describe('voxels', () => {
  test('bits in the order x, y, z, the highest first', async () => {
    const bits = new Uint8Array(4096)
    bits[0] = 0b01000000
    bits[4095] = 1
    const { x, y } = voxelDataset(bits, Uint8Array.of(2)).batch([0])
    expect([...x.keys()].filter((i) => x[i] === 1)).toEqual([1, 32767])
    expect([...y]).toEqual([2])
    for (const part of ['train', 'test']) {
      writeFileSync(at(`${part}.vox.gz`), gzipSync(bits))
      writeFileSync(at(`${part}.lab`), Uint8Array.of(9))
    }
    expect((await modelnet10({ path: folder })).test.labels).toEqual(Buffer.of(9))
  })

  test('what doesn’t fit is refused', () => {
    expect(() => voxelDataset(new Uint8Array(5), Uint8Array.of(0))).toThrow('5 bytes for 1 shapes of 4096')
    expect(() => voxelDataset(new Uint8Array(4096), Uint8Array.of(10))).toThrow('label 10 of 10 classes')
  })
})

describe('changes by chance', () => {
  const values = (length: number) => Float32Array.from({ length }, (_, i) => i + 1)

  test('sounds: none changes nothing; a delay moves them; the same seed and epoch the same', () => {
    const sounds = datasetOf(values(10), Uint8Array.of(0), [10, 1], ['a'])
    expect([...varySounds(sounds, {}, 1).batch([0]).x].slice(0, 9)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9])
    const later = varySounds(sounds, { delay: 5 }, 1)
    const seen = new Set<number>()
    for (let epoch = 0; epoch < 20; epoch++) {
      const { x } = later.batch([0], epoch)
      seen.add(x.indexOf(1))
      expect(later.batch([0], epoch).x).toEqual(x)
    }
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5])
  })

  test('volumes: mirrored along x or not, moved', () => {
    const volumes = datasetOf(values(27), Uint8Array.of(0), [3, 3, 3, 1], ['a'])
    const still = varyVolumes(volumes, { shift: 0 }, 1)
    const firsts = new Set(Array.from({ length: 20 }, (_, epoch) => still.batch([0], epoch).x[0]))
    expect([...firsts].sort()).toEqual([1, 19])
    const { x } = varyVolumes(volumes, { shift: 1 }, 3).batch([0])
    expect(x.every((v) => v >= 0 && v <= 27)).toBe(true)
  })

  test('pictures: no distortion changes nothing, a shift moves', () => {
    const [from, to] = [values(9), new Float32Array(9)]
    distort({}).apply(from, to, [3, 3, 1], randomSource(1))
    expect(to).toEqual(from)
    expect(() => distort({ scale: 1 })).toThrow('distort: scale is 1')
  })

  test('light changes along the colours’ principal component only', () => {
    const grey = Float32Array.from({ length: 48 }, (_, i) => Math.floor(i / 3) / 16)
    const pictures = datasetOf(grey, Uint8Array.of(0), [4, 4, 3], ['a'])
    const [from, to] = [pictures.batch([0]).x, new Float32Array(48)]
    lighting(pictures, 1).apply(from, to, [4, 4, 3], randomSource(1))
    const added = to.map((v, i) => v - from[i]!)
    expect(Math.abs(added[0]!)).toBeGreaterThan(0.001)
    for (const v of added) expect(v).toBeCloseTo(added[0]!, 5)
    expect(() => lighting(datasetOf(grey, Uint8Array.of(0), [4, 12, 1], ['a']))).toThrow('pictures of 1 channels')
  })
})
