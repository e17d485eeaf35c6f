import { randomSource } from './random.ts'

/** Streams of chance for shuffling start here, apart from those of initialisers and dropout with the same seed. */
const shuffleStream = 2 ** 40

/** 0 .. length-1 in an order that `seed` and `epoch` determine (Fisher and Yates; Durstenfeld, CACM 7(7), 1964). */
export function shuffledIndices(length: number, seed: number, epoch: number): Uint32Array {
  const indices = Uint32Array.from({ length }, (_, index) => index)
  const random = randomSource(seed, shuffleStream + epoch)
  for (let last = length - 1; last > 0; last--) {
    const other = random.integer(last + 1)
    const index = indices[last]
    indices[last] = indices[other]
    indices[other] = index
  }
  return indices
}
