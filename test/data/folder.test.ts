import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { imageFolder, imageFolderSplit } from '../../src/data/folder.ts'
import { encodePng } from '../../src/data/png.ts'

let root = ''
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'fovea-folder-'))
})
afterEach(() => rmSync(root, { recursive: true }))

/** Writes a picture of one value. */
function put(path: string, value: number, width = 2, height = 2, channels = 1): void {
  mkdirSync(join(root, path, '..'), { recursive: true })
  const data = new Uint8Array(width * height * channels).fill(value)
  writeFileSync(join(root, path), encodePng({ width, height, channels, data }))
}

describe('imageFolder', () => {
  test('classes and files come in the order of their names; other files are passed over', async () => {
    put('dog/b.png', 3)
    put('dog/a.PNG', 2)
    put('cat/z.png', 1)
    put('.hidden/z.png', 1)
    writeFileSync(join(root, 'dog', 'notes.txt'), 'no picture')
    writeFileSync(join(root, 'LICENCE'), 'free')
    const set = await imageFolder(root)
    expect(set.classes).toEqual(['cat', 'dog'])
    expect([...set.labels]).toEqual([0, 1, 1])
    expect(set.shape).toEqual([2, 2, 1])
    expect([...set.batch([0, 1, 2]).x].map((value) => Math.round(255 * value))).toEqual([
      1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3,
    ])
  })

  test('pictures of any size and channels are brought to the shape asked for', async () => {
    put('a/1.png', 10, 4, 6)
    put('a/2.png', 20, 1, 1, 3)
    const set = await imageFolder(root, { shape: [2, 1, 3] })
    expect([...set.batch([0, 1]).x].map((value) => Math.round(255 * value))).toEqual([
      ...Array(6).fill(10),
      ...Array(6).fill(20),
    ])
  })

  test('refuses sizes that differ unless a shape is given', async () => {
    put('a/1.png', 0)
    put('a/2.png', 0, 3, 2)
    await expect(imageFolder(root)).rejects.toThrow(/a\/2\.png has 2x3 pixels, the first image has 2x2\. Give \{shape/)
  })

  test('refuses folders without classes or pictures, and odd shapes', async () => {
    await expect(imageFolder(join(root, 'none'))).rejects.toThrow(/none can't be read \(ENOENT/)
    await expect(imageFolder(root)).rejects.toThrow(/has no folders in it\. Give a folder with one folder of images/)
    mkdirSync(join(root, 'empty'))
    await expect(imageFolder(root)).rejects.toThrow(/class folder .*empty has no images/)
    put('empty/1.png', 0)
    for (const shape of [
      [2, 2],
      [2, 2, 2],
      [0, 2, 1],
      [2, 1.5, 1],
    ])
      await expect(imageFolder(root, { shape })).rejects.toThrow(`imageFolder: shape is [${shape.join(', ')}]`)
    await expect(imageFolder(root, { shape: [65536, 65536, 1] })).rejects.toThrow(/take 4294967296 bytes, more than/)
  })

  test('names a picture that cannot be read', async () => {
    put('a/1.png', 0)
    writeFileSync(join(root, 'a', '2.jpg'), 'not a picture')
    await expect(imageFolder(root)).rejects.toThrow(/a\/2\.jpg \(13 bytes\) is neither PNG nor JPEG/)
  })
})

describe('imageFolderSplit', () => {
  test('splits by the seed', async () => {
    for (let i = 0; i < 10; i++) put(`${i % 2 ? 'odd' : 'even'}/${i}.png`, i, 1, 1)
    const values = async (seed: number) => {
      const { train, test: held } = await imageFolderSplit(root, { fraction: 0.3, seed })
      return [train, held].map((set) =>
        [...set.batch([...set.labels.keys()]).x].map((value) => Math.round(255 * value)),
      )
    }
    const [train, held] = await values(1)
    expect([train.length, held.length]).toEqual([7, 3])
    expect([...train, ...held].sort()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    expect(await values(1)).toEqual([train, held])
    expect(await values(2)).not.toEqual([train, held])
  })

  test('folders named train and test are taken as they are', async () => {
    put('train/a/1.png', 1)
    put('train/b/1.png', 2)
    put('test/a/1.png', 3, 8, 8)
    put('test/b/1.png', 4)
    const { train, test: held } = await imageFolderSplit(root)
    expect([train.length, held.length]).toEqual([2, 2])
    expect(held.shape).toEqual([2, 2, 1])
    put('test/c/1.png', 5)
    await expect(imageFolderSplit(root)).rejects.toThrow(/train has classes \[a, b\], test has \[a, b, c\]/)
  })
})
