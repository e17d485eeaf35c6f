// docs/tour.md shows what the program prints: each block after a `paste` mark is made here and compared.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { explainOutput, parseSpec, printSpec } from '../../src/conv/index.ts'
import { contract } from '../../src/graph/conv.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { printKernel } from '../../src/kernel/print.ts'
import { choose } from '../../src/plan/choose.ts'
import { printPlan } from '../../src/plan/explain.ts'
import { blueprint } from '../../src/program/build.ts'
import { printWat } from '../../src/targets/wasm/assemble.ts'
import { emitFunctions, type WasmFeatures } from '../../src/targets/wasm/emit.ts'

const path = new URL('../../docs/tour.md', import.meta.url).pathname
const features: WasmFeatures = { name: 'wasm', lanes: 4, registers: 15, fused: true, simd: true, relaxed: true }
const spec = parseSpec('n1 6x6 c8 -> 8 k3 p1')
const operands = [placeholder([1, 6, 6, 8]), placeholder([3, 3, 8, 8])]
const plan = blueprint(operands, [contract('output', spec, operands[0]!, operands[1]!)], [], features)

/** The innermost loop: the text between the last `loop` and the first `end` after it. */
function innermost(wat: string): string {
  const lines = wat.split('\n')
  const start = lines.findLastIndex((line) => line.trim() === 'loop')
  const end = lines.findIndex((line, i) => i > start && line.trim() === 'end')
  return lines
    .slice(start, end + 1)
    .map((line) => line.replace(/^ {8}/, ''))
    .join('\n')
}

const product = plan.kernels.at(-1)!
const blocks: Record<string, string> = {
  spec: [printSpec(spec), ...explainOutput(spec)].join('\n'),
  steps: [
    ...plan.steps.map(
      ({ label, node, calls }) => `${label} [${node.shape}]: kernels ${calls.map((c) => c.kernel.name)}`,
    ),
    `arena ${plan.arenaBytes} bytes`,
  ].join('\n'),
  plan: printPlan(choose('output', spec, features).plan),
  kernel: printKernel(product).trimEnd(),
  wat: innermost(printWat(emitFunctions([product], features))),
  gradients: (['inputGradient', 'kernelGradient'] as const)
    .map((contraction) => printPlan(choose(contraction, spec, features).plan))
    .join('\n'),
}

test('the tour shows what the program prints', async () => {
  const used: string[] = []
  const made = readFileSync(path, 'utf8').replace(/<!-- paste: (\w+) -->\n```text\n[^`]*```/g, (_, name: string) => {
    used.push(name)
    return `<!-- paste: ${name} -->\n\`\`\`text\n${blocks[name]}\n\`\`\``
  })
  expect(used.sort()).toEqual(Object.keys(blocks).sort())
  await expect(made).toMatchFileSnapshot(path)
})
