import { fail } from '../base/errors.ts'

const pageBytes = 65536
const alignment = 64
/** Room after every block, so that a vector load at its end stays inside the memory. */
const guardBytes = 64
/** The lowest addresses stay unused: an address computed wrongly is more likely to be noticed. */
const firstByte = 1024

interface Block {
  readonly start: number
  readonly bytes: number
}

/** One WebAssembly memory with first-fit allocation; blocks are freed by whoever took them. */
export interface Memory {
  readonly memory: WebAssembly.Memory
  /** Byte address of a new block of at least `bytes` bytes, 64-byte aligned. */
  allocate(bytes: number): number
  free(address: number): void
  /** A view of `length` floats; valid until the memory grows, so don't keep it. */
  floats(address: number, length: number): Float32Array
  ints(address: number, length: number): Int32Array
  /** Bytes in blocks now. */
  used(): number
}

/** @param shared whether workers may use it too */
export function createMemory(shared: boolean): Memory {
  const memory = new WebAssembly.Memory({ initial: 16, maximum: 65536, shared })
  const taken = new Map<number, number>()
  let free: Block[] = [{ start: firstByte, bytes: memory.buffer.byteLength - firstByte }]

  function grow(bytes: number): void {
    const before = memory.buffer.byteLength
    // by at least half, so that many small growths don't copy views over and over
    const pages = Math.ceil(Math.max(bytes, Math.min(before / 2, 64 * 1024 * 1024)) / pageBytes)
    try {
      memory.grow(pages)
    } catch {
      fail(
        'memory',
        `${Math.ceil(bytes / 1048576)} MB more than the ${Math.ceil(before / 1048576)} MB in use aren't to be had`,
        'Use a smaller batch or a smaller model; WebAssembly memory ends at 4 GB',
      )
    }
    release({ start: before, bytes: memory.buffer.byteLength - before })
  }

  function release(block: Block): void {
    const at = free.findIndex((other) => other.start > block.start)
    free.splice(at < 0 ? free.length : at, 0, block)
    free = free.reduce<Block[]>((merged, next) => {
      const last = merged.at(-1)
      if (last && last.start + last.bytes === next.start)
        merged[merged.length - 1] = { start: last.start, bytes: last.bytes + next.bytes }
      else merged.push(next)
      return merged
    }, [])
  }

  return {
    memory,
    allocate(wanted) {
      const bytes = Math.ceil((wanted + guardBytes) / alignment) * alignment
      let at = free.findIndex((block) => block.bytes >= bytes)
      if (at < 0) {
        grow(bytes)
        at = free.findIndex((block) => block.bytes >= bytes)
      }
      const { start, bytes: available } = free[at]!
      if (available === bytes) free.splice(at, 1)
      else free[at] = { start: start + bytes, bytes: available - bytes }
      taken.set(start, bytes)
      return start
    },
    free(address) {
      const bytes = taken.get(address)
      if (bytes === undefined) throw new Error(`fovea internal error: no block at ${address}`)
      taken.delete(address)
      release({ start: address, bytes })
    },
    floats: (address, length) => new Float32Array(memory.buffer, address, length),
    ints: (address, length) => new Int32Array(memory.buffer, address, length),
    used: () => [...taken.values()].reduce((sum, bytes) => sum + bytes, 0),
  }
}
