/** Plans and kernels of layers from well-known networks, as text: a change of them is seen in a change of this file. */
import { expect, test } from 'vitest'
import { parseSpec } from '../../src/conv/notation.ts'
import type { Contraction } from '../../src/conv/spec.ts'
import { contract } from '../../src/graph/conv.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { printKernel } from '../../src/kernel/print.ts'
import { printPlan } from '../../src/plan/explain.ts'
import type { PlanFeatures } from '../../src/plan/types.ts'
import { blueprint } from '../../src/program/build.ts'
import { operandShapes } from '../support/operand-shapes.ts'

const features: PlanFeatures = { name: 'wasm', lanes: 4, registers: 15, fused: true }

const layers: readonly (readonly [Contraction, string])[] = [
  ['output', 'n1 56x56 c64 -> 256 k1'],
  ['output', 'n1 28x28 c512 -> 1024 k1 s2'],
  ['output', 'n1 224x224 c3 -> 64 k7 s2 p3'],
  ['output', 'n1 56x56 c64 -> 64 k3 p1'],
  ['output', 'n1 224x224 c64 -> 64 k3 p1'],
  ['output', 'n1 7x7 c512 -> 512 k3 p1'],
  ['output', 'n1 14x14 c512 -> 512 k3 s2 p1'],
  ['output', 'n1 33x33 c256 -> 256 k3 p12 d12'],
  ['output', 'n1 26x26 c96 -> 256 k5 p2 g2'],
  ['output', 'n64 14x14 c6 -> 16 k5'],
  ['output', 'n1 56x56 c144 -> 144 k3 p1 g144'],
  ['output', 'n1 112x112 c96 -> 96 k3 s2 p1 g96'],
  ['output', 'n1 8000 c1 -> 128 k80 s4'],
  ['output', 'n1 4096 c64 -> 64 k2 d16 pcausal'],
  ['output', 'n1 16x56x56 c16 -> 32 k3 p1'],
  ['inputGradient', 'n32 16x16 c32 -> 64 k3 p1'],
  ['inputGradient', 'n1 56x56 c256 -> 512 k2 s2'],
  ['inputGradient', 'n1 64x64 c3 -> 128 k4 s2 p1'],
  ['kernelGradient', 'n32 16x16 c32 -> 64 k3 p1'],
  ['kernelGradient', 'n32 16x16 c64 -> 64 k3 p1 g64'],
]

/** Lines of a kernel that are shown: what is unrolled goes on in the same way. */
const shown = 24

test('plans and kernels of 20 layers', async () => {
  const parts = layers.map(([contraction, text]) => {
    const spec = parseSpec(text)
    const [a, b] = operandShapes(contraction, spec).map(placeholder)
    const { steps } = blueprint([a!, b!], [contract(contraction, spec, a!, b!)], [], features)
    const plans = steps.map(({ plan, label }) => (plan ? printPlan(plan) : label))
    const kernels = new Set(steps.flatMap(({ calls }) => calls.map(({ kernel }) => printKernel(kernel))))
    const cut = [...kernels].map((kernel) => {
      const lines = kernel.split('\n')
      return lines.length > shown
        ? [...lines.slice(0, shown), `  ... ${lines.length - shown} lines`].join('\n')
        : kernel
    })
    return `== ${contraction} ${text}\n${plans.join('\n')}\n\n${cut.join('\n')}\n`
  })
  await expect(parts.join('\n')).toMatchFileSnapshot('../golden/plans.txt')
})
