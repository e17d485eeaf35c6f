import type { SafeFile } from 'fovea/nn'
import type { Compiled, Look, LookOrder, Numbers, Row, Summary } from './protocol.ts'
import { asKernel, type Subject, sizeOf } from './subject.ts'
import { kernelLast } from './subject-onnx.ts'

/** Kernels are no larger than this along an axis. */
const largestKernel = 15

/** Whether a weight is [out, in, k, k], as PyTorch has it, and not [k, k, in, out]. */
export function isChannelsFirst(shape: readonly number[]): boolean {
  const small = (axes: readonly number[]) => axes.every((n) => n <= largestKernel)
  return small(shape.slice(2)) || !small(shape.slice(0, -2))
}

/** Weights without a network: a table of tensors, and kernels as pictures. */
export class WeightsSubject implements Subject {
  readonly summary: Summary
  readonly #file: SafeFile
  readonly #names: readonly string[]

  constructor(file: SafeFile) {
    this.#file = file
    this.#names = [...file.tensors.keys()]
    const rows = this.#names.map((name): Row => {
      const { dtype, shape } = file.tensors.get(name)!
      const isKernel = shape.length >= 3 && shape.length <= 5
      return {
        name,
        op: dtype,
        shape,
        parameters: sizeOf(shape),
        macs: 0,
        from: [],
        sees: '',
        ...(isKernel ? { kernel: shape } : {}),
      }
    })
    this.summary = {
      name: 'weights',
      format: 'safetensors',
      rows,
      input: '',
      output: '',
      parameters: rows.reduce((sum, { parameters }) => sum + parameters, 0),
      macs: 0,
      still:
        'The file holds weights, but not the network that they belong to: kernels can be seen, nothing can be run.',
    }
  }

  async look({ row }: LookOrder): Promise<Look> {
    const { shape, data } = this.#file.tensors.get(this.#names[row]!)!
    if (shape.length < 3 || shape.length > 5) return { row }
    const own: Numbers = isChannelsFirst(shape)
      ? kernelLast({ shape, data }, false)
      : { shape, data: Float32Array.from(data) }
    const kernel = asKernel(own)
    return { row, ...(kernel ? { kernel } : {}) }
  }

  async compile(): Promise<Compiled> {
    throw new Error(this.summary.still)
  }
}
