import { fail } from '../base/errors.ts'
import { type Shape, showShape } from '../base/shape.ts'
import { Tensor } from './tensor.ts'

/**
 * Uniform numbers in [0, 1) with 24 random bits, counter-based: element i is a hash of (i, salt, key).
 * @param key [2]: seed and step, whole numbers below 2^24; another step gives other numbers
 * @param salt tells apart several uses with one key
 */
export function uniform(shape: Shape, key: Tensor, salt = 0): Tensor {
  if (key.shape.length !== 1 || key.shape[0] !== 2)
    fail('uniform', `key has shape ${showShape(key.shape)}`, 'Give [seed, step], shape [2]')
  return new Tensor({ kind: 'uniform', salt }, [key], shape)
}
