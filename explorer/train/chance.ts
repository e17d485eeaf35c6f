/** Uniform numbers in [0, 1) that a seed determines: additive steps, each mixed (Steele, Lea, Flood 2014; 32 bits). */
export function chance(seed: number): () => number {
  let state = seed | 0
  return () => {
    state = (state + 0x9e3779b9) | 0
    let x = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
    x = Math.imul(x ^ (x >>> 15), 0x735a2d97)
    return ((x ^ (x >>> 15)) >>> 0) / 2 ** 32
  }
}

/** 0 .. length-1 in an order that seed and epoch determine (Durstenfeld, CACM 7(7), 1964). */
export function shuffled(length: number, seed: number, epoch: number): Uint32Array {
  const indices = Uint32Array.from({ length }, (_, i) => i)
  const random = chance(Math.imul(seed + 1, 0x9e3779b1) ^ epoch)
  for (let last = length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1))
    const kept = indices[last]!
    indices[last] = indices[other]!
    indices[other] = kept
  }
  return indices
}
