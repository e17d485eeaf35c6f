/** Probabilities from logits. */
export function softmaxOf(logits: ArrayLike<number>): number[] {
  const largest = Math.max(...Array.from(logits))
  const powers = Array.from(logits, (logit) => Math.exp(logit - largest))
  const sum = powers.reduce((a, b) => a + b, 0)
  return powers.map((power) => power / sum)
}

/** Classes by probability, the most probable first. */
export const ranked = (logits: ArrayLike<number>): { index: number; share: number }[] =>
  softmaxOf(logits)
    .map((share, index) => ({ index, share }))
    .sort((a, b) => b.share - a.share)
