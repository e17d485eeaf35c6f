// One test for each rule that the public functions of conv check, with the whole message.
import { describe, expect, test } from 'vitest'
import { checkCount, FoveaError, fail, invariant } from '../../src/base/errors.ts'
import { parseSpec } from '../../src/conv/notation.ts'
import type { Padding } from '../../src/conv/padding.ts'
import { type ConvOptions, type ConvTransposeOptions, convSpec, convTransposeSpec } from '../../src/conv/spec.ts'

/** Message of the error that `run` throws. */
function messageOf(run: () => unknown): string {
  try {
    run()
  } catch (error) {
    expect(error).toBeInstanceOf(FoveaError)
    return (error as Error).message
  }
  throw new Error('nothing was thrown')
}

interface Case {
  rule: string
  x?: number[]
  w?: number[]
  options?: ConvTransposeOptions
  message: string
}

const usage = "Write it like 'n1 56x56 c64 -> 64 k3 s1 p1 d1 g1' (p also: same, valid, full, causal, or low:high)."

/** Rules that hold for both; `#` stands for the operation. */
const common: Case[] = [
  {
    rule: 'an input needs spatial axes',
    x: [1, 8],
    message:
      '#: input of shape [1, 8] has no spatial axis. Give an input [N, spatial..., C], for example [1, 28, 28, 3].',
  },
  {
    rule: 'no empty batch',
    x: [0, 8, 8, 4],
    message: "#: input of shape [0, 8, 8, 4] has a size that isn't a whole number >= 1. Give whole sizes.",
  },
  {
    rule: 'sizes of the input are numbers',
    x: [1, 8, Number.NaN, 4],
    message: "#: input of shape [1, 8, NaN, 4] has a size that isn't a whole number >= 1. Give whole sizes.",
  },
  {
    rule: 'sizes of the kernel are whole',
    w: [3, 2.5, 4, 4],
    message: "#: kernel of shape [3, 2.5, 4, 4] has a size that isn't a whole number >= 1. Give whole sizes.",
  },
  {
    rule: 'sizes of the kernel are positive',
    w: [3, -3, 4, 4],
    message: "#: kernel of shape [3, -3, 4, 4] has a size that isn't a whole number >= 1. Give whole sizes.",
  },
  ...[0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY].flatMap((value): Case[] => [
    ...(['stride', 'dilation', 'groups'] as const).map((name) => ({
      rule: `${name} isn't ${value}`,
      options: { [name]: value },
      message: `#: ${name} is ${value}, but must be a whole number >= 1. Give ${name} a whole number.`,
    })),
  ]),
  {
    rule: 'one stride per axis',
    options: { stride: [1, 2, 3] },
    message: '#: stride has 3 entries for 2 spatial axes. Give one number or 2 of them.',
  },
  {
    rule: 'each stride of a list is checked',
    options: { stride: [1, 0] },
    message: '#: stride is 0, but must be a whole number >= 1. Give stride a whole number.',
  },
  {
    rule: 'one dilation per axis',
    options: { dilation: [2] },
    message: '#: dilation has 1 entries for 2 spatial axes. Give one number or 2 of them.',
  },
  {
    rule: 'one padding per axis',
    options: { padding: [1, 1, 1] },
    message:
      '#: padding has 3 entries for 2 spatial axes. Give one number, or one number or pair [low, high] per axis.',
  },
  {
    rule: 'padding is whole',
    options: { padding: 0.5 },
    message: '#: padding is 0.5, but must be whole numbers. Round it.',
  },
  {
    rule: 'padding is a number, in pairs too',
    options: { padding: [1, [0, Number.NaN]] },
    message: '#: padding is NaN, but must be whole numbers. Round it.',
  },
  {
    rule: 'padding by a known strategy',
    options: { padding: 'SAME' as Padding },
    message: "#: padding 'SAME' is unknown. Use a number, a list, or one of valid, same, sameLower, full, causal.",
  },
  {
    rule: 'groups divide the channels',
    options: { groups: 3 },
    message:
      "#: 3 groups don't divide both 4 channels of the input and 4 of the kernel. Use a number of groups that divides both.",
  },
  {
    rule: 'groups divide the channels of the kernel',
    w: [3, 3, 2, 5],
    options: { groups: 2 },
    message:
      "#: 2 groups don't divide both 4 channels of the input and 5 of the kernel. Use a number of groups that divides both.",
  },
  {
    rule: 'groups divide the channels of the input',
    x: [1, 8, 8, 3],
    options: { groups: 2 },
    message:
      "#: 2 groups don't divide both 3 channels of the input and 4 of the kernel. Use a number of groups that divides both.",
  },
]

describe('convSpec', () => {
  const conv = (x: number[], w: number[], options: ConvOptions) => messageOf(() => convSpec(x, w, options, 'conv2d'))

  test.each(common)('$rule', ({ x = [1, 8, 8, 4], w = [3, 3, 4, 4], options = {}, message }) => {
    expect(conv(x, w, options)).toBe(message.replace('#', 'conv2d'))
  })

  test('the operation is conv unless named', () => {
    expect(messageOf(() => convSpec([1], [1]))).toMatch(/^conv: /)
  })

  test('the kernel has the rank of the input', () => {
    expect(conv([1, 8, 8, 4], [3, 4, 4], {})).toBe(
      "conv2d: kernel of shape [3, 4, 4] doesn't fit an input of 2 spatial axes, [1, 8, 8, 4]. " +
        'Give a kernel [k, k, inChannels / groups, outChannels].',
    )
  })

  test('the channels of the input are those of the kernel', () => {
    expect(conv([1, 8, 8, 6], [3, 3, 4, 4], {})).toBe(
      'conv2d: input has 6 channels, but the kernel [3, 3, 4, 4] with 1 groups takes 4. ' +
        'Give an input of 4 channels or a kernel made for 6.',
    )
    expect(conv([1, 8, 8, 4], [3, 3, 4, 4], { groups: 2 })).toBe(
      'conv2d: input has 4 channels, but the kernel [3, 3, 4, 4] with 2 groups takes 8. ' +
        'Give an input of 8 channels or a kernel made for 4.',
    )
  })

  test('the kernel fits into the padded input', () => {
    expect(conv([1, 1, 1, 4], [5, 5, 4, 4], { padding: 1 })).toBe(
      'conv2d: kernel 5x5 is larger than the padded input 3x3 (input 1x1, padding 1x1). ' +
        "Use more padding, padding 'same', or a smaller kernel.",
    )
    expect(conv([1, 9, 4, 4], [3, 3, 4, 4], { padding: [0, [1, -1]], dilation: [1, 2] })).toBe(
      'conv2d: kernel 3x3 with dilation 1x2 is larger than the padded input 9x4 (input 9x4, padding 0x1+-1). ' +
        "Use more padding, padding 'same', or a smaller kernel.",
    )
  })
})

describe('convTransposeSpec', () => {
  const transpose = (x: number[], w: number[], options: ConvTransposeOptions) =>
    messageOf(() => convTransposeSpec(x, w, options, 'convTranspose2d'))

  test.each(common)('$rule', ({ x = [1, 8, 8, 4], w = [3, 3, 4, 4], options = {}, message }) => {
    expect(transpose(x, w, options)).toBe(message.replace('#', 'convTranspose2d'))
  })

  test('the operation is convTranspose unless named', () => {
    expect(messageOf(() => convTransposeSpec([1], [1]))).toMatch(/^convTranspose: /)
  })

  test('the kernel has the rank of the input', () => {
    expect(transpose([1, 8, 4], [3, 3, 4, 4], {})).toBe(
      "convTranspose2d: kernel of shape [3, 3, 4, 4] doesn't fit an input of 1 spatial axes, [1, 8, 4]. " +
        'Give a kernel [k, outChannels / groups, inChannels].',
    )
  })

  test("the channels of the input are the kernel's last axis", () => {
    expect(transpose([1, 8, 8, 6], [3, 3, 6, 4], {})).toBe(
      'convTranspose2d: input has 6 channels, but the kernel [3, 3, 6, 4] with 1 groups takes 4. ' +
        'Give an input of 4 channels or a kernel made for 6.',
    )
  })

  test('outputPadding is below the larger of stride and dilation', () => {
    const problem = (options: ConvTransposeOptions) => transpose([1, 8, 8, 4], [3, 3, 4, 4], options)
    expect(problem({ stride: 2, outputPadding: 2 })).toBe(
      'convTranspose2d: outputPadding 2 must be smaller than the larger of stride 2 and dilation 1. Use at most 1.',
    )
    expect(problem({ stride: [2, 1], dilation: [1, 3], outputPadding: [1, 3] })).toBe(
      'convTranspose2d: outputPadding 3 must be smaller than the larger of stride 1 and dilation 3. Use at most 2.',
    )
    expect(problem({ outputPadding: 1 })).toBe(
      'convTranspose2d: outputPadding 1 must be smaller than the larger of stride 1 and dilation 1. ' +
        'Leave outputPadding out.',
    )
  })

  test.each([-1, 0.5, Number.NaN])("outputPadding isn't %d", (value) => {
    expect(transpose([1, 8, 8, 4], [3, 3, 4, 4], { stride: 3, outputPadding: value })).toBe(
      `convTranspose2d: outputPadding is ${value}, but must be a whole number >= 0. Give outputPadding a whole number.`,
    )
  })

  test('one outputPadding per axis', () => {
    expect(transpose([1, 8, 8, 4], [3, 3, 4, 4], { stride: 2, outputPadding: [1] })).toBe(
      'convTranspose2d: outputPadding has 1 entries for 2 spatial axes. Give one number or 2 of them.',
    )
  })

  test('padding leaves something of the output', () => {
    expect(transpose([1, 8, 2, 4], [3, 3, 4, 4], { padding: 2 })).toBe(
      'convTranspose2d: padding 2+2 leaves nothing of the output on axis 1 (0 elements). ' +
        "Use less padding, or padding 'same'.",
    )
  })
})

describe('parseSpec', () => {
  const parse = (text: string) => messageOf(() => parseSpec(text))

  test.each(['', '56x56 -> 64 k3', '56x56 c64 64 k3', 'c64 -> 64 k3', 'n-1 8 c1 -> 1 k1', '8 c1 -> 1'])(
    "'%s' isn't a convolution",
    (text) => {
      expect(parse(text)).toBe(`parseSpec: '${text}' isn't a convolution. ${usage}`)
    },
  )

  test.each([
    ['8xx8 c1 -> 1 k3', '8xx8'],
    ['8x c1 -> 1 k3', '8x'],
    ['8 c1 -> 1 k', ''],
    ['8 c1 -> 1 k3.5', '3.5'],
    ['8 c1 -> 1 k3 stride2', 'tride2'],
    ['8 c1 -> 1 k3 p1:', ''],
    ['8 c1 -> 1 k3 d1e1', '1e1'],
  ])("'%s' has no size where one belongs", (text, size) => {
    expect(parse(text)).toBe(`parseSpec: '${size}' isn't a size. ${usage}`)
  })

  test('unknown and repeated words', () => {
    expect(parse('8 c1 -> 1 k3 x2')).toBe(`parseSpec: 'x2' isn't known or stands twice. ${usage}`)
    expect(parse('8 c1 -> 1 k3 k5')).toBe(`parseSpec: 'k5' isn't known or stands twice. ${usage}`)
  })

  test('the kernel size is needed', () => {
    expect(parse('8 c1 -> 1 s2')).toBe(`parseSpec: '8 c1 -> 1 s2' has no kernel size. ${usage}`)
  })

  test('padding is low:high', () => {
    expect(parse('8 c1 -> 1 k3 p1:2:3')).toBe(`parseSpec: padding '1:2:3' isn't low:high. ${usage}`)
  })

  test('kept outputs are among those there are', () => {
    expect(parse('8 c1 -> 1 k3 o7')).toBe("parseSpec: output 7 isn't within 6. Leave o out, or use less.")
    expect(parse('8x8 c1 -> 1 k3 o0')).toBe("parseSpec: output 0x0 isn't within 6x6. Leave o out, or use less.")
  })

  test('the rules of convSpec', () => {
    expect(parse('8 c6 -> 8 k3 g4')).toBe(
      "parseSpec: 4 groups don't divide both 6 channels of the input and 8 of the kernel. " +
        'Use a number of groups that divides both.',
    )
    expect(parse('8 c6 -> 8 k3 g0')).toBe(
      'parseSpec: groups is 0, but must be a whole number >= 1. Give groups a whole number.',
    )
    expect(parse('8x8 c1 -> 1 k3 p1x2x3')).toBe(
      'parseSpec: padding has 3 entries for 2 spatial axes. Give one number, or one number or pair [low, high] per axis.',
    )
    expect(parse('8 c1 -> 1 k3 psome')).toBe(
      "parseSpec: padding 'some' is unknown. Use a number, a list, or one of valid, same, sameLower, full, causal.",
    )
  })
})

describe('the wording', () => {
  test('fail joins operation, problem and remedy', () => {
    expect(messageOf(() => fail('pool', 'window is 0', 'Use 1'))).toBe('pool: window is 0. Use 1.')
  })

  test('checkCount returns what is right', () => {
    expect(checkCount('f', 'n', 0)).toBe(0)
    expect(messageOf(() => checkCount('f', 'n', -1))).toBe(
      'f: n is -1, but must be a whole number >= 0. Give n a whole number.',
    )
  })

  test('invariant blames fovea', () => {
    expect(() => invariant(true, 'fine')).not.toThrow()
    expect(() => invariant(false, 'a hole')).toThrow('fovea internal error: a hole')
  })
})
