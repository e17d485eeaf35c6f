// docs/precision.md shows measured errors: each block after a `paste` mark is made here and compared.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { type ConvSpec, kernelGradient, output, parseSpec, printSpec } from '../../src/conv/index.ts'
import { contract } from '../../src/graph/conv.ts'
import { placeholder } from '../../src/graph/tensor.ts'
import { cookToom } from '../../src/plan/cook-toom.ts'
import { amplification } from '../../src/plan/explain.ts'
import { operandShapes } from '../support/operand-shapes.ts'
import { featureSets, loadSteps, planSteps } from '../support/run-steps.ts'

const path = new URL('../../docs/precision.md', import.meta.url).pathname
const channels = [64, 128, 256, 512]
const variants: [string, number, number][] = [
  ['plain sum, 3x3', 0, 3],
  ['F(2x2, 3x3)', 2, 3],
  ['F(4x4, 3x3)', 4, 3],
  ['F(6x6, 3x3)', 6, 3],
  ['plain sum, 5x5', 0, 5],
  ['F(2x2, 5x5)', 2, 5],
  ['F(4x4, 5x5)', 4, 5],
]

/** Samples of a batch. */
const batches = [1, 4, 16]
const gradients = variants.map(([name, step, taps]): [string, number, number] => [
  step === 0 ? name : `F(${taps}x${taps}, ${step}x${step})`,
  step,
  taps,
])

const outputSpec = (taps: number, count: number) => parseSpec(`n1 12x12 c${count} -> 16 k${taps} psame`)
const gradientSpec = (taps: number, count: number) => parseSpec(`n${count} 12x12 c8 -> 8 k${taps} psame`)

/** Exact results: every algorithm is compared with the same. */
const known = new Map<string, Float64Array>()

/** Root mean square and worst error relative to the largest result. */
async function measure(
  contraction: 'output' | 'kernelGradient',
  spec: ConvSpec,
  name: string,
): Promise<[number, number]> {
  const random = randomSource(contraction === 'output' ? spec.inChannels : spec.batch)
  const shapes = operandShapes(contraction, spec)
  const values = shapes.map((shape) => Float32Array.from({ length: sizeOf(shape) }, () => random.normal()))
  const operands = shapes.map(placeholder)
  const features = { ...featureSets.simd, algorithm: `winograd ${name}` }
  const steps = planSteps([contract(contraction, spec, operands[0]!, operands[1]!)], features)
  const run = await loadSteps(steps, features, 'wasm')
  const [result] = run(new Map(operands.map((operand, i) => [operand, values[i]!]))).values
  const key = printSpec(spec)
  const expected = known.get(key) ?? { output, kernelGradient }[contraction](spec, values[0]!, values[1]!)
  known.set(key, expected)
  const errors = expected.map((value, i) => Math.abs(value - result![i]!))
  const largest = expected.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
  const squares = errors.reduce((sum, error) => sum + error * error, 0)
  return [Math.sqrt(squares / errors.length) / largest, Math.max(...errors) / largest]
}

const short = (value: number) => value.toExponential(0)

async function table(
  contraction: 'output' | 'kernelGradient',
  rows: readonly [string, number, number][],
  counts: readonly number[],
  unit: string,
): Promise<string> {
  const lines = [['', ...counts.map((count) => `${count} ${unit}`)]]
  for (const [name, , taps] of rows) {
    const cells: string[] = []
    for (const count of counts) {
      const spec = (contraction === 'output' ? outputSpec : gradientSpec)(taps, count)
      const [typical, worst] = await measure(contraction, spec, name)
      cells.push(`${short(typical)}, ${short(worst)}`)
    }
    lines.push([name, ...cells])
  }
  return lines
    .map((cells) =>
      cells
        .map((cell) => cell.padEnd(16))
        .join('')
        .trimEnd(),
    )
    .join('\n')
}

const bounds = () =>
  [
    ...variants.map(([name, step, taps]) => [name, step, taps] as const),
    ...gradients.map(([name, step, taps]) => [name, taps, step] as const),
  ]
    .filter(([, outputs, taps]) => outputs > 0 && taps > 0)
    .map(([name, outputs, taps]) => `${name.padEnd(16)}${(amplification(cookToom(outputs, taps)) ** 2).toFixed(0)}`)
    .join('\n')

test('the page on precision shows what is measured', async () => {
  const blocks: Record<string, string> = {
    measured: await table('output', variants, channels, 'channels'),
    gradients: await table('kernelGradient', gradients, batches, 'samples'),
    bounds: bounds(),
  }
  const used: string[] = []
  const made = readFileSync(path, 'utf8').replace(/<!-- paste: (\w+) -->\n```text\n[^`]*```/g, (_, name: string) => {
    used.push(name)
    return `<!-- paste: ${name} -->\n\`\`\`text\n${blocks[name]}\n\`\`\``
  })
  expect(used.sort()).toEqual(Object.keys(blocks).sort())
  await expect(made).toMatchFileSnapshot(path)
}, 240_000)
