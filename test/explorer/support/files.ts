import { readFileSync } from 'node:fs'

/** A file of the explorer, as a page would fetch it. */
export function fileOf(path: string): ArrayBuffer {
  const bytes = readFileSync(new URL(`../../../explorer/${path}`, import.meta.url))
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer
}
