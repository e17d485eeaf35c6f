import { expect, inject, test } from 'vitest'
import { randomSource } from '../../src/base/random.ts'
import { printSpec } from '../../src/conv/facts.ts'
import { parseSpec } from '../../src/conv/notation.ts'
import type { ConvSpec } from '../../src/conv/spec.ts'
import { phases } from '../../src/plan/phases.ts'
import type { Plan } from '../../src/plan/types.ts'
import type { Step } from '../../src/program/steps.ts'
import { checkSpec, contractions } from '../support/check-spec.ts'
import { randomSpec, shrinkSpec } from '../support/random-spec.ts'
import { type FeatureName, featureSets, skipped } from '../support/run-steps.ts'

declare module 'vitest' {
  interface ProvidedContext {
    /** From vitest.config.ts. */
    fuzzSeconds?: number
    /** From `npm run fuzz`. */
    fuzz?: { seconds: number; seed: number; spec?: string }
  }
}

const {
  seconds,
  seed: firstSeed,
  spec: given,
} = inject('fuzz') ?? {
  seconds: inject('fuzzSeconds') ?? 10,
  seed: Date.now() % 2 ** 31,
}

/** Small ones are many, large ones reach the loops that only long sums and long rows have. */
const works = [300, 300, 2000, 2000, 2000, 8000, 8000, 50_000]

/** What random specs rarely are, checked first: long rows, long sums, one of all, prime strides, tall kernels. */
const edges = [
  'n1 113x113 c3 -> 5 k1',
  'n2 65x63 c3 -> 9 k3 p1',
  'n1 1x1 c1 -> 1 k1',
  'n1 9x1 c5 -> 7 k9x1 s7x1',
  'n3 23x29 c7 -> 7 k3 s5x7 p2 g7',
  'n1 31 c1 -> 40 k31 p30',
  'n2 13x9 c8 -> 12 k3 p1',
  'n1 6x15 c3 -> 2 k3 p0:3x2:0',
  'n1 8x7 c5 -> 6 k3',
  'n2 9x7 c4 -> 8 k5 p2',
  'n1 7x5 c2 -> 3 k5 p4',
  'n1 3x8 c7 -> 5 k5 p1:6x2:-1',
  'n1 2x13x1x1 c1 -> 1 k11 s2x5x1x1 p4:5x4:4x5:5x5:5',
]

const tiles: [step: number, taps: number][] = [
  [2, 3],
  [4, 3],
  [6, 3],
  [2, 5],
  [4, 5],
]
const winograd = tiles.map(([step, taps]) => `winograd F(${step}x${step}, ${taps}x${taps})`)
/** For the gradient of the kernel. */
const winogradGradients = tiles.map(([step, taps]) => `winograd F(${taps}x${taps}, ${step}x${step})`)
const algorithms = ['depthwise', 'pointwise', 'implicit', ...winograd, ...winogradGradients]
const tails = ['whole', 'part', 'whole + part'] as const

/** How the columns of a plan fill vectors: whole ones only, less than one, or both. */
function tailOf(plan: Plan, lanes: number): (typeof tails)[number] {
  const { groups, inChannels, outChannels } = plan.spec
  const channels = plan.contraction === 'inputGradient' ? inChannels : outChannels
  const columns = plan.algorithm === 'depthwise' ? channels : channels / groups
  if (columns % lanes === 0) return 'whole'
  return columns < lanes ? 'part' : 'whole + part'
}

const cellOf = (features: FeatureName, algorithm: string, contraction: string, tail: string) =>
  `${features} ${algorithm} ${contraction} ${tail}`

/** Every cell that can exist, with no hits yet. */
function emptyHits(): Map<string, number> {
  const hits = new Map<string, number>()
  for (const [features, { lanes }] of Object.entries(featureSets))
    for (const algorithm of algorithms)
      for (const contraction of contractions)
        for (const tail of lanes === 1 ? ['whole'] : tails)
          if (!(contraction === 'kernelGradient' ? winograd : winogradGradients).includes(algorithm))
            hits.set(cellOf(features as FeatureName, algorithm, contraction, tail), 0)
  return hits
}

const kinds: Record<string, (spec: ConvSpec) => boolean> = {
  'rank 1': (spec) => spec.rank === 1,
  'rank 2': (spec) => spec.rank === 2,
  'rank 3': (spec) => spec.rank === 3,
  'rank 4': (spec) => spec.rank === 4,
  'several samples': (spec) => spec.batch > 1,
  groups: (spec) => spec.groups > 1 && spec.groups < spec.inChannels,
  multiplier: (spec) => spec.groups > 1 && spec.groups === spec.inChannels && spec.outChannels > spec.groups,
  strided: (spec) => spec.stride.some((s) => s > 1),
  dilated: (spec) => spec.dilation.some((d) => d > 1),
  padded: (spec) => [...spec.padLow, ...spec.padHigh].some((n) => n > 0),
  cropped: (spec) => [...spec.padLow, ...spec.padHigh].some((n) => n < 0),
  'phases without taps': (spec) => phases(spec).some(({ taps }) => taps.includes(0)),
  'one pixel': (spec) => spec.input.every((n) => n === 1),
}

const loops: Record<string, (step: Step) => boolean> = {
  'rows in chunks': ({ calls }) => calls.some(({ kernel }) => kernel.axes.some(({ index }) => index === 'rows')),
  'chunks one after the other': ({ calls }) => calls.some(({ points }) => points && points[0] > 0),
  'sums through memory': ({ calls, plan }) =>
    plan?.algorithm !== 'depthwise' &&
    calls.some(({ kernel }) => kernel.buffers.some(({ name, access }) => name === 'y' && access === 'update')),
}

/** Counts what was met; nothing may stay at zero. */
function counter() {
  const cells = emptyHits()
  const others = new Map([...Object.keys(kinds), ...Object.keys(loops)].map((name) => [name, 0]))
  const more = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1)
  const missing = () => [...cells, ...others].filter(([, n]) => n === 0).map(([key]) => key)
  return {
    missing,
    spec(spec: ConvSpec) {
      for (const [name, holds] of Object.entries(kinds)) if (holds(spec)) more(others, name)
    },
    step(step: Step, features: FeatureName) {
      const { plan } = step
      if (!plan) return
      expect(algorithms, 'an algorithm that this test does not know').toContain(plan.algorithm)
      more(cells, cellOf(features, plan.algorithm, plan.contraction, tailOf(plan, featureSets[features].lanes)))
      for (const [name, holds] of Object.entries(loops)) if (holds(step)) more(others, name)
    },
    print() {
      const lines = algorithms.flatMap((algorithm) =>
        contractions
          .filter((contraction) => cells.has(cellOf('scalar', algorithm, contraction, 'whole')))
          .map((contraction) => {
            const numbers = Object.keys(featureSets).map((features) =>
              tails.map((tail) => cells.get(cellOf(features as FeatureName, algorithm, contraction, tail)) ?? '-'),
            )
            return `${`${algorithm} ${contraction}`.padEnd(36)}${numbers.map((n) => n.join(' / ').padEnd(22)).join('')}`
          }),
      )
      const head = Object.keys(featureSets).map((name) => name.padEnd(22))
      const rest = [...others].map(([name, n]) => `${name} ${n}`).join(', ')
      return `${`hits: ${tails.join(' / ')}`.padEnd(36)}${head.join('')}\n${lines.join('\n')}\n${rest}`
    },
  }
}

/** Fails with the smallest spec near this one that is still wrong, and with the commands that show it. */
async function report(spec: ConvSpec, seed: number): Promise<never> {
  const smallest = await shrinkSpec(spec, async (candidate) => (await checkSpec(candidate, seed)) !== undefined)
  const line = printSpec(smallest)
  const { contraction, where, problem } = (await checkSpec(smallest, seed))!
  throw new Error(
    `${contraction} of ${line} is wrong (${where}): ${problem}\n` +
      `found with seed ${seed} as ${printSpec(spec)}; again with:\n` +
      `  npm run fuzz -- --seed ${seed} --seconds 1\n  npm run fuzz -- --spec '${line}'\n` +
      `  npm run conv -- '${line}' --check`,
  )
}

const title = given ?? `random convolutions for ${seconds} s from seed ${firstSeed}`

test(
  title,
  async () => {
    const hits = counter()
    const run = async (spec: ConvSpec, seed: number) => {
      hits.spec(spec)
      if (await checkSpec(spec, seed, hits.step)) await report(spec, seed)
    }
    if (given) return run(parseSpec(given), firstSeed)
    if (seconds > 1) for (const line of edges) await run(parseSpec(line), firstSeed)
    const start = performance.now()
    const passed = () => (performance.now() - start) / 1000
    let count = 0
    while (passed() < seconds || (passed() < 3 * seconds && seconds > 1 && hits.missing().length > 0)) {
      const seed = firstSeed + count++
      await run(randomSpec(randomSource(seed), { maxWork: works[seed % works.length], plain: seed % 6 === 0 }), seed)
    }
    const notes = [skipped('relaxed')].filter(Boolean).map((note) => `${note}; the interpreter ran it\n`)
    console.log(`${count} specs, ${(count / passed()).toFixed(1)} a second\n${notes}${hits.print()}`)
    if (seconds > 1) expect(hits.missing(), 'never met').toEqual([])
  },
  3000 * seconds + 120_000,
)
