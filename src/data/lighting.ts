import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import { fail } from '../base/errors.ts'
import type { Augmentation } from './augment.ts'
import type { Dataset } from './dataset.ts'

/** Pictures from which the principal components of the colours are taken, at most. */
const most = 2000

/** Variances along the principal components of colours [count, 3], and the components as columns. */
function principalColours(x: Float32Array): { variances: number[]; components: Matrix } {
  const count = x.length / 3
  const mean = [0, 1, 2].map((c) => x.reduce((sum, v, i) => (i % 3 === c ? sum + v : sum), 0) / count)
  const covariance = Matrix.zeros(3, 3)
  for (let i = 0; i < x.length; i += 3)
    for (let a = 0; a < 3; a++)
      for (let b = 0; b < 3; b++) {
        const product = (x[i + a]! - mean[a]!) * (x[i + b]! - mean[b]!)
        covariance.set(a, b, covariance.get(a, b) + product / count)
      }
  const { realEigenvalues, eigenvectorMatrix } = new EigenvalueDecomposition(covariance, { assumeSymmetric: true })
  return { variances: realEigenvalues, components: eigenvectorMatrix }
}

/**
 * Another light on each picture (Krizhevsky et al. 2012, section 4.1): to every pixel
 * [p1, p2, p3] [a1 l1, a2 l2, a3 l3] is added, p and l the eigenvectors and eigenvalues of the covariance of the data's
 * colours, each a drawn for the picture from a normal distribution.
 * @param data pictures [H, W, 3] whose colours count
 * @param deviation of each a. Default 0.1
 */
export function lighting(data: Dataset, deviation = 0.1): Augmentation {
  if (data.shape.at(-1) !== 3) fail('lighting', `pictures of ${data.shape.at(-1)} channels`, 'Give colours')
  const count = Math.min(most, data.length)
  const { x } = data.batch(Uint32Array.from({ length: count }, (_, i) => Math.floor((i * data.length) / count)))
  const { variances, components } = principalColours(x)
  return {
    outputShape: (shape) => shape,
    apply(from, to, _, random) {
      const amounts = variances.map((variance) => variance * deviation * random.normal())
      const light = [0, 1, 2].map((c) => amounts.reduce((sum, a, i) => sum + a * components.get(c, i), 0))
      for (let i = 0; i < from.length; i++) to[i] = from[i]! + light[i % 3]!
    },
  }
}
