import { invariant } from '../base/errors.ts'
import type { Contraction, ConvSpec } from '../conv/spec.ts'
import { depthwise } from './depthwise.ts'
import { matrixProduct } from './matrix-product.ts'
import type { Algorithm, Epilogue, KernelCall, Plan, PlanFeatures, Refusal } from './types.ts'
import { winograd } from './winograd.ts'

/** In order of preference: the first that accepts is taken. The last accepts every spec. */
const algorithms: readonly Algorithm[] = [depthwise, winograd, matrixProduct]

export interface Choice {
  readonly plan: Plan
  readonly refusals: readonly Refusal[]
}

/** Asked before those: what a page adds that needs it. */
export const addedAlgorithms: Algorithm[] = []

/** With the one that the spec names before them. */
const algorithmsFor = ({ algorithm }: ConvSpec): readonly Algorithm[] => [
  ...(algorithm ? [algorithm as Algorithm] : []),
  ...addedAlgorithms,
  ...algorithms,
]

/** The plan for one contraction of one spec. */
export function choose(contraction: Contraction, spec: ConvSpec, features: PlanFeatures): Choice {
  const refusals: Refusal[] = []
  for (const algorithm of algorithmsFor(spec)) {
    const answer = algorithm.plan(contraction, spec, features)
    if (!('refused' in answer)) return { plan: answer, refusals }
    refusals.push(answer)
  }
  invariant(false, `no algorithm takes ${contraction} of this convolution`)
}

const algorithmOf = (plan: Plan): Algorithm =>
  algorithmsFor(plan.spec).find(({ name }) => plan.algorithm.startsWith(name)) ?? matrixProduct

export const planCalls = (plan: Plan, features: PlanFeatures, epilogue: Epilogue): KernelCall[] =>
  algorithmOf(plan).calls(plan, features, epilogue)
