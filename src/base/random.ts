/** A stream of random numbers that a seed determines completely. */
export interface RandomSource {
  /** Uniform in [0, 1), 32 random bits. */
  next(): number
  /** Uniform integer in [0, n). */
  integer(n: number): number
  /** Standard normal (Box and Muller, 1958). */
  normal(): number
}

const multiplier = 6364136223846793005n
const mask64 = (1n << 64n) - 1n
const mulLow = Number(multiplier & 0xffffffffn) >>> 0
const mulHigh = Number(multiplier >> 32n) >>> 0

/** High 32 bits of the product of two unsigned 32-bit integers. */
function mulHigh32(a: number, b: number): number {
  const aLow = a & 0xffff
  const aHigh = a >>> 16
  const bLow = b & 0xffff
  const bHigh = b >>> 16
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16)
  const middle2 = aLow * bHigh + (middle & 0xffff)
  return (aHigh * bHigh + Math.floor(middle / 65536) + Math.floor(middle2 / 65536)) >>> 0
}

/**
 * PCG-XSH-RR 64/32 (O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for Random
 * Number Generation", 2014). Different `stream`s of one seed are independent.
 */
export function randomSource(seed: number, stream = 0): RandomSource {
  const increment = ((BigInt(stream) << 1n) | 1n) & mask64
  const incrementLow = Number(increment & 0xffffffffn)
  const incrementHigh = Number(increment >> 32n)
  let low = 0
  let high = 0
  const step = () => {
    const productHigh = (mulHigh32(low, mulLow) + Math.imul(low, mulHigh) + Math.imul(high, mulLow)) >>> 0
    const sum = (Math.imul(low, mulLow) >>> 0) + incrementLow
    low = sum >>> 0
    high = (productHigh + incrementHigh + (sum > 0xffffffff ? 1 : 0)) >>> 0
  }
  step()
  const start = BigInt(Math.trunc(seed)) & mask64
  const first = ((BigInt(high) << 32n) | BigInt(low)) + start
  low = Number(first & 0xffffffffn)
  high = Number((first >> 32n) & 0xffffffffn)
  step()
  const bits = () => {
    const oldLow = low
    const oldHigh = high
    step()
    const mixedHigh = (oldHigh ^ (oldHigh >>> 18)) >>> 0
    const mixedLow = (oldLow ^ ((oldLow >>> 18) | (oldHigh << 14))) >>> 0
    const shifted = ((mixedHigh << 5) | (mixedLow >>> 27)) >>> 0
    const rotation = oldHigh >>> 27
    return ((shifted >>> rotation) | (shifted << (-rotation & 31))) >>> 0
  }
  let spare: number | undefined
  const next = () => bits() / 4294967296
  return {
    next,
    integer: (n) => Math.floor(next() * n),
    normal() {
      if (spare !== undefined) {
        const value = spare
        spare = undefined
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - next()))
      const angle = 2 * Math.PI * next()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}

/**
 * Counter-based random bits: a 32-bit hash of (counter, key), the same in JavaScript and in compiled kernels
 * (multiply-xorshift mixing with the constants of Wellons' search, "lowbias32").
 */
export function hashBits(counter: number, key: number): number {
  let x = (counter ^ key) | 0
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  x = (x ^ (x >>> 15)) + key
  x = Math.imul(x ^ (x >>> 16), 0x21f0aaad)
  x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
  return (x ^ (x >>> 15)) >>> 0
}
