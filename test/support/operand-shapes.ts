import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'

/** Shapes of a contraction's two operands. */
export const operandShapes = (contraction: Contraction, spec: ConvSpec): [number[], number[]] =>
  ({
    output: [inputShape(spec), kernelShape(spec)],
    inputGradient: [outputShape(spec), kernelShape(spec)],
    kernelGradient: [inputShape(spec), outputShape(spec)],
  })[contraction] as [number[], number[]]
