/** Sizes of the input that a model names: a batch of any size is of one sample; others must be known. */
export function inputSizes(sizes: readonly (number | string)[]): number[] {
  const shape = sizes.map((size, axis) => (axis === 0 && !(Number(size) > 0) ? 1 : Number(size)))
  if (shape.length === 0 || shape.some((size) => !(size > 0))) throw new Error(`input of unknown size [${sizes}]`)
  return shape
}

/** i / n, as ONNX's backend tests of the light networks have it. */
export const networkInput = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i / length)
