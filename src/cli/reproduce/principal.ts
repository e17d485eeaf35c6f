import { EigenvalueDecomposition, Matrix } from 'ml-matrix'
import type { Kernel } from '../../models/cells.ts'

/** Principal components of patches [N, size] about 0, the strongest first. */
export function principalComponents(patches: Float32Array, size: number): Kernel[] {
  const rows = Matrix.from1DArray(patches.length / size, size, [...patches])
  const { eigenvectorMatrix } = new EigenvalueDecomposition(rows.transpose().mmul(rows), { assumeSymmetric: true })
  // eigenvalues rise
  return Array.from({ length: size }, (_, k) => Float64Array.from(eigenvectorMatrix.getColumn(size - 1 - k)))
}
