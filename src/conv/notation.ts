import { fail } from '../base/errors.ts'
import type { Padding, PaddingStrategy } from './padding.ts'
import { type ConvSpec, convSpec } from './spec.ts'

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

/**
 * Reads one convolution in one line: `n1 56x56 c64 -> 64 k3 s1 p1 d1 g1`; n, s, p, d and g may be left out. `o5x5` at
 * the end keeps only that many outputs, as a transposed convolution with an outputPadding >= stride does.
 */
export function parseSpec(text: string): ConvSpec {
  const match = /^\s*(?:n(\d+)\s+)?([\dx]+)\s+c(\d+)\s*->\s*(\d+)\s+(.*)$/.exec(text)
  if (!match) fail('parseSpec', `'${text}' isn't a convolution`, usage)
  const [, batch = '1', size, channels, filters, rest] = match as unknown as string[]
  const input = numbers(size!)
  const options = new Map<string, string>()
  for (const word of rest!.trim().split(/\s+/)) {
    if (!/^[kspdgo]/.test(word) || options.has(word[0]!))
      fail('parseSpec', `'${word}' isn't known or stands twice`, usage)
    options.set(word[0]!, word.slice(1))
  }
  const perAxis = (name: string, usual: number) => {
    const list = numbers(options.get(name) ?? String(usual))
    return list.length === 1 ? input.map(() => list[0]!) : list
  }
  if (!options.has('k')) fail('parseSpec', `'${text}' has no kernel size`, usage)
  const groups = numbers(options.get('g') ?? '1')[0]!
  const spec = convSpec(
    [Number(batch), ...input, Number(channels)],
    [...perAxis('k', 1), Math.ceil(Number(channels) / groups), Number(filters)],
    {
      stride: perAxis('s', 1),
      dilation: perAxis('d', 1),
      padding: padding(options.get('p') ?? '0'),
      groups,
    },
    'parseSpec',
  )
  if (!options.has('o')) return spec
  const output = perAxis('o', 1)
  if (output.length !== spec.rank || output.some((n, axis) => n < 1 || n > spec.output[axis]!))
    fail('parseSpec', `output ${output.join('x')} isn't within ${spec.output.join('x')}`, 'Leave o out, or use less')
  return Object.freeze({ ...spec, output })
}
