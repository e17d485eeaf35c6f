import { invariant } from '../base/errors.ts'
import type { Contraction, ConvSpec } from '../conv/spec.ts'
import type { Kernel, TargetFeatures } from '../kernel/ir.ts'
import { depthwise } from './depthwise.ts'
import { matrixProduct } from './matrix-product.ts'
import type { Algorithm, Epilogue, Plan, Refusal } from './types.ts'

/** In order of preference: the first that accepts is taken. The last accepts every spec. */
const algorithms: readonly Algorithm[] = [depthwise, matrixProduct]

export interface Choice {
  readonly plan: Plan
  readonly refusals: readonly Refusal[]
}

/** The plan for one contraction of one spec. */
export function choose(contraction: Contraction, spec: ConvSpec, features: TargetFeatures): Choice {
  const refusals: Refusal[] = []
  for (const algorithm of algorithms) {
    const answer = algorithm.plan(contraction, spec, features)
    if (!('refused' in answer)) return { plan: answer, refusals }
    refusals.push(answer)
  }
  invariant(false, `no algorithm takes ${contraction} of this convolution`)
}

export function planKernels(plan: Plan, features: TargetFeatures, epilogue: Epilogue): Kernel[] {
  const algorithm = plan.algorithm === depthwise.name ? depthwise : matrixProduct
  return algorithm.kernels(plan, features, epilogue)
}

/** A plan in one line. */
export const printPlan = (plan: Plan): string =>
  `${plan.algorithm} ${plan.contraction}: ${plan.why}; scratch ${(plan.scratch.packed + plan.scratch.work) * 4} bytes`
