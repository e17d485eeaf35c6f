import { fail } from '../base/errors.ts'
import type { RandomSource } from '../base/random.ts'
import { type Shape, sizeOf } from '../base/shape.ts'

/** Connections per output and per input of a layer. */
export interface Fans {
  readonly fanIn: number
  readonly fanOut: number
}

/** Ways to draw first weights, by Keras's names. */
export type InitializerName =
  | 'zeros'
  | 'ones'
  | 'constant'
  | 'uniform'
  | 'normal'
  | 'truncatedNormal'
  | 'glorotUniform'
  | 'glorotNormal'
  | 'heUniform'
  | 'heNormal'
  | 'lecunUniform'
  | 'lecunNormal'
  | 'orthogonal'

/** How first weights are drawn: a name, or a name with numbers. */
export type Initializer =
  | InitializerName
  | {
      readonly name: InitializerName
      /** 'constant': the value. Default 0. */
      readonly value?: number
      /** 'uniform': the range. Default -0.05 to 0.05. */
      readonly low?: number
      readonly high?: number
      /** 'normal', 'truncatedNormal' (redrawn beyond two deviations). Default 0 and 0.05. */
      readonly mean?: number
      readonly deviation?: number
      /** Glorot to orthogonal: factor of all weights. Default 1. */
      readonly gain?: number
    }

/** Fans of a kernel [k..., in, out]: taps times channels. */
export function fansOf(shape: Shape): Fans {
  const taps = sizeOf(shape.slice(0, -2))
  return { fanIn: taps * (shape.at(-2) ?? shape[0] ?? 1), fanOut: taps * (shape.at(-1) ?? 1) }
}

/**
 * Columns (or rows, if there are fewer) of length 1 and at right angles, from a normal matrix by Gram-Schmidt, twice
 * for accuracy (Saxe et al., "Exact solutions to the nonlinear dynamics of learning", 2014).
 */
function orthogonal(shape: Shape, random: RandomSource): Float64Array {
  const columns = shape.at(-1) ?? 1
  const rows = sizeOf(shape) / columns
  const [count, length] = rows < columns ? [rows, columns] : [columns, rows]
  const vectors = Array.from({ length: count }, () => Float64Array.from({ length }, () => random.normal()))
  const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, value, i) => sum + value * b[i]!, 0)
  vectors.forEach((vector, i) => {
    for (let pass = 0; pass < 2; pass++)
      for (const earlier of vectors.slice(0, i)) {
        const along = dot(vector, earlier)
        for (let j = 0; j < length; j++) vector[j]! -= along * earlier[j]!
      }
    const norm = Math.sqrt(dot(vector, vector))
    for (let j = 0; j < length; j++) vector[j]! /= norm
  })
  return Float64Array.from({ length: rows * columns }, (_, i) => {
    const [row, column] = [Math.floor(i / columns), i % columns]
    return rows < columns ? vectors[row]![column]! : vectors[column]![row]!
  })
}

function truncatedNormal(random: RandomSource): number {
  for (;;) {
    const value = random.normal()
    if (Math.abs(value) <= 2) return value
  }
}

/** Variance times the fan of each family: Glorot & Bengio 2010, He et al. 2015, LeCun et al. 1998. */
const families: Record<string, (fans: Fans) => number> = {
  glorot: ({ fanIn, fanOut }) => 2 / (fanIn + fanOut),
  he: ({ fanIn }) => 2 / fanIn,
  lecun: ({ fanIn }) => 1 / fanIn,
}

/** First values of a weight of `shape`. `fans` default to those of a kernel [k..., in, out]. */
export function initialValues(
  initializer: Initializer,
  shape: Shape,
  random: RandomSource,
  fans: Fans = fansOf(shape),
): Float32Array {
  const options = typeof initializer === 'string' ? { name: initializer } : initializer
  const { name, value = 0, low = -0.05, high = 0.05, mean = 0, deviation = 0.05, gain = 1 } = options
  for (const number of [value, low, high, mean, deviation, gain])
    if (!Number.isFinite(number)) fail('initializer', `${name} with the number ${number}`, 'Give finite numbers')
  const draw = (next: () => number) => Float32Array.from({ length: sizeOf(shape) }, next)
  const uniform = (from: number, to: number) => draw(() => from + (to - from) * random.next())
  if (name === 'zeros') return draw(() => 0)
  if (name === 'ones') return draw(() => 1)
  if (name === 'constant') return draw(() => value)
  if (name === 'uniform') return uniform(low, high)
  if (name === 'normal') return draw(() => mean + deviation * random.normal())
  if (name === 'truncatedNormal') return draw(() => mean + deviation * truncatedNormal(random))
  if (name === 'orthogonal') return Float32Array.from(orthogonal(shape, random), (n) => gain * n)
  const [, family, kind] = /^(glorot|he|lecun)(Uniform|Normal)$/.exec(name) ?? []
  if (!family)
    fail(
      'initializer',
      `'${name}' is unknown`,
      'Use zeros, ones, constant, uniform, normal, truncatedNormal, orthogonal, or glorot, he or lecun with Uniform ' +
        'or Normal, for example glorotUniform',
    )
  const spread = gain * Math.sqrt(families[family]!(fans))
  const limit = Math.sqrt(3) * spread
  return kind === 'Uniform' ? uniform(-limit, limit) : draw(() => spread * random.normal())
}
