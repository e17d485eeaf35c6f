import { fail } from '../base/errors.ts'
import type { Padding, PaddingStrategy } from './padding.ts'
import { type ConvSpec, convSpec, convTransposeSpec } from './spec.ts'

const usage = `Write it like 'n1 56x56 c64 -> 64 k3 s1 p1 d1 g1' (p also: same, valid, full, causal, or low:high)`

function numbers(text: string): number[] {
  if (!/^-?\d+(x-?\d+)*$/.test(text)) fail('parseSpec', `'${text}' isn't a size`, usage)
  return text.split('x').map(Number)
}

function padding(text: string): Padding {
  if (/^[a-z]/i.test(text)) return text as PaddingStrategy
  if (!/[x:]/.test(text)) return numbers(text)[0]!
  return text.split('x').map((entry): number | [number, number] => {
    const [low, high, ...more] = entry.split(':').map((n) => numbers(n)[0]!)
    if (more.length > 0) fail('parseSpec', `padding '${entry}' isn't low:high`, usage)
    return high === undefined ? low! : [low!, high]
  })
}

interface Line {
  readonly xShape: number[]
  readonly filters: number
  readonly groups: number
  /** Per axis: k, s, d, o, op. */
  perAxis(name: string, usual: number): number[]
  has(name: string): boolean
  readonly padding: Padding
}

function readLine(operation: string, text: string): Line {
  const match = /^\s*(?:n(\d+)\s+)?([\dx]+)\s+c(\d+)\s*->\s*(\d+)\s+(.*)$/.exec(text)
  if (!match) fail(operation, `'${text}' isn't a convolution`, usage)
  const [, batch = '1', size, channels, filters, rest] = match as unknown as string[]
  const input = numbers(size!)
  const options = new Map<string, string>()
  for (const word of rest!.trim().split(/\s+/)) {
    const [, name, value] = /^(op|[kspdgo])(.*)$/.exec(word) ?? []
    if (name === undefined || options.has(name)) fail(operation, `'${word}' isn't known or stands twice`, usage)
    options.set(name, value!)
  }
  if (!options.has('k')) fail(operation, `'${text}' has no kernel size`, usage)
  return {
    xShape: [Number(batch), ...input, Number(channels)],
    filters: Number(filters),
    groups: numbers(options.get('g') ?? '1')[0]!,
    perAxis(name, usual) {
      const list = numbers(options.get(name) ?? String(usual))
      return list.length === 1 ? input.map(() => list[0]!) : list
    },
    has: (name) => options.has(name),
    padding: padding(options.get('p') ?? '0'),
  }
}

const optionsOf = (line: Line) => ({
  stride: line.perAxis('s', 1),
  dilation: line.perAxis('d', 1),
  padding: line.padding,
  groups: line.groups,
})

/**
 * Reads one convolution in one line: `n1 56x56 c64 -> 64 k3 s1 p1 d1 g1`; n, s, p, d and g may be left out. `o5x5` at
 * the end keeps only that many outputs, as a transposed convolution with an outputPadding >= stride does.
 */
export function parseSpec(text: string): ConvSpec {
  const line = readLine('parseSpec', text)
  if (line.has('op'))
    fail('parseSpec', `'${text}' has an output padding`, `Begin it with 'transposed', or leave op out`)
  const channels = line.xShape.at(-1)!
  const wShape = [...line.perAxis('k', 1), Math.ceil(channels / line.groups), line.filters]
  const spec = convSpec(line.xShape, wShape, optionsOf(line), 'parseSpec')
  if (!line.has('o')) return spec
  const output = line.perAxis('o', 1)
  if (output.length !== spec.rank || output.some((n, axis) => n < 1 || n > spec.output[axis]!))
    fail('parseSpec', `output ${output.join('x')} isn't within ${spec.output.join('x')}`, 'Leave o out, or use less')
  return Object.freeze({ ...spec, output })
}

/** A layer as its line names it: a convolution, or a transposed one, which is `inputGradient` of its spec. */
export interface NamedLayer {
  readonly operation: 'output' | 'inputGradient'
  readonly spec: ConvSpec
}

/**
 * Reads one layer in one line: a convolution as `parseSpec` does, or `transposed n1 7x7 c8 -> 4 k4 s2 p1 op1`, whose
 * sizes are those of its own input and output; op is its output padding.
 */
export function parseLayer(text: string): NamedLayer {
  const [, transposed] = /^\s*transposed\s+(.*)$/.exec(text) ?? []
  if (transposed === undefined) return { operation: 'output', spec: parseSpec(text) }
  const line = readLine('parseLayer', transposed)
  if (line.has('o')) fail('parseLayer', `'${text}' keeps only some outputs`, 'Leave o out')
  const wShape = [...line.perAxis('k', 1), Math.ceil(line.filters / line.groups), line.xShape.at(-1)!]
  const options = { ...optionsOf(line), outputPadding: line.perAxis('op', 0) }
  return { operation: 'inputGradient', spec: convTransposeSpec(line.xShape, wShape, options, 'parseLayer') }
}
