import { convSpec } from 'fovea/conv'
import type { Code } from '../shared/frame.ts'
import { givenNumbers, optionsOf, transposedSpec } from './numbers.ts'
import { axesOf, rankOf, type ShapeState } from './state.ts'

/** One number where all agree. */
const short = (numbers: readonly number[], open = '[', close = ']') =>
  numbers.every((n) => n === numbers[0]) ? String(numbers[0]) : `${open}${numbers.join(', ')}${close}`

const tuple = (numbers: readonly number[]) => (numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(', ')})`)
const call = (name: string, args: readonly string[]) => `${name}(${args.filter((arg) => arg !== '').join(', ')})`

export function shapeCode(state: ShapeState): Code {
  const [size, kernel] = [axesOf(state, state.i), axesOf(state, state.k)]
  const rank = rankOf(state)
  return {
    fovea: foveaCode(state, size, kernel),
    pytorch: pytorchCode(state, size, kernel, rank),
    keras: kerasCode(state, size, kernel, rank),
  }
}

function foveaCode(state: ShapeState, size: number[], kernel: number[]): string {
  const options = optionsOf(state)
  const parts = [
    `stride: ${short(options.stride)}`,
    options.dilation.some((d) => d > 1) ? `dilation: ${short(options.dilation)}` : '',
    typeof options.padding === 'string' ? `padding: '${options.padding}'` : foveaPadding(options.padding),
    !state.t && state.pa !== 'zero' ? `paddingMode: '${state.pa}'` : '',
    state.t && state.op.some((n) => n > 0) ? `outputPadding: ${short(axesOf(state, state.op))}` : '',
  ]
  const name = state.t ? 'convTranspose' : 'conv'
  return `import { ${name}, tensor } from 'fovea'

const x = tensor([${numbers(size, 'x')}], [1, ${size.join(', ')}, 1]) // [N, spatial..., C]
const w = tensor([${numbers(kernel, 'w')}], [${kernel.join(', ')}, 1, 1])
const y = ${name}(x, w, { ${parts.filter((part) => part !== '').join(', ')} })
console.log(y.shape, await y.data())`
}

/** The figure's own numbers. */
const numbers = (shape: number[], which: 'x' | 'w') => [...givenNumbers[which](shape)].join(', ')

function foveaPadding(pads: readonly (readonly [number, number])[]): string {
  if (pads.every(([low, high]) => low === 0 && high === 0)) return ''
  const even = pads.every(([low, high]) => low === high)
  const lows = pads.map(([low]) => low)
  return `padding: ${even ? short(lows) : `[${pads.map(([low, high]) => `[${low}, ${high}]`).join(', ')}]`}`
}

/** Padding of each axis as the state resolves it. */
function padsOf(state: ShapeState, size: number[], kernel: number[]): [number, number][] {
  const spec = state.t ? transposedSpec(state) : convSpec([1, ...size, 1], [...kernel, 1, 1], optionsOf(state))
  return spec.padLow.map((low, axis) => [low, spec.padHigh[axis]!])
}

const numpyModes = { zero: 'constant', reflect: 'reflect', symmetric: 'symmetric', replicate: 'edge', circular: 'wrap' }

/** A line that pads with NumPy, which has all five borders. */
const numpyPad = (state: ShapeState, pads: readonly (readonly number[])[], before: string, after: string) =>
  `np.pad(x, (${before}, ${pads.map(([low, high]) => `(${low}, ${high})`).join(', ')}, ${after}), mode='${numpyModes[state.pa]}')`

function pytorchCode(state: ShapeState, size: number[], kernel: number[], rank: number): string {
  const pads = padsOf(state, size, kernel)
  const even = pads.every(([low, high]) => low === high)
  const padded = pads.some(([low, high]) => low > 0 || high > 0)
  const stride = `stride=${short(axesOf(state, state.s), '(', ')')}`
  const dilation = state.d.some((d) => d > 1) ? `dilation=${short(axesOf(state, state.d), '(', ')')}` : ''
  const lows = pads.map(([low]) => low)
  const padding = padded && even ? `padding=${short(lows, '(', ')')}` : ''
  const start = `import torch\nimport torch.nn.functional as F\n`
  const w = `w = torch.tensor([${numbers(kernel, 'w')}.]).view(1, 1, ${kernel.join(', ')})`
  const x = `torch.tensor([${numbers(size, 'x')}.]).view(1, 1, ${size.join(', ')})`
  if (state.t) {
    const extra = state.op.some((n) => n > 0) ? `output_padding=${short(axesOf(state, state.op), '(', ')')}` : ''
    const uneven = even ? '' : `\n# uneven padding: crop yourself, [low, high] of each axis is ${JSON.stringify(pads)}`
    return `${start}\nx = ${x}\n${w}\ny = ${call(`F.conv_transpose${rank}d`, ['x', 'w', stride, padding, extra, dilation])}${uneven}\nprint(y.shape, y)`
  }
  if (padded && (!even || state.pa !== 'zero'))
    return `import numpy as np\n${start}\nx = ${x}.numpy()\n${w}\nx = torch.from_numpy(${numpyPad(state, pads, '(0, 0), (0, 0)', '').replace(', )', ')')})\ny = ${call(`F.conv${rank}d`, ['x', 'w', stride, dilation])}\nprint(y.shape, y)`
  return `${start}\nx = ${x}\n${w}\ny = ${call(`F.conv${rank}d`, ['x', 'w', stride, padding, dilation])}\nprint(y.shape, y)`
}

function kerasCode(state: ShapeState, size: number[], kernel: number[], rank: number): string {
  const pads = padsOf(state, size, kernel)
  const padded = pads.some(([low, high]) => low > 0 || high > 0)
  const dilated = state.d.some((d) => d > 1)
  const strides = `strides=${tuple(axesOf(state, state.s))}`
  const dilation = dilated ? `dilation_rate=${tuple(axesOf(state, state.d))}` : ''
  const limit =
    dilated && state.s.some((s) => s > 1)
      ? '# TensorFlow has no stride > 1 with dilation > 1; JAX and PyTorch do\n'
      : ''
  const start = `import numpy as np\nfrom keras import ops\n\n${limit}x = np.array([${numbers(size, 'x')}], 'float32').reshape(1, ${size.join(', ')}, 1)\n`
  const w = `w = np.array([${numbers(kernel, 'w')}], 'float32').reshape(${kernel.join(', ')}, 1, 1)\n`
  const same = state.p === 'same' && state.pa === 'zero'
  if (state.t) {
    const crop = padded && !same ? `\n# then crop [low, high] of each axis: ${JSON.stringify(pads)}` : ''
    const extra =
      state.op.some((n) => n > 0) && !same ? `output_padding=${short(axesOf(state, state.op), '(', ')')}` : ''
    return `${start}${w}y = ${call('ops.conv_transpose', ['x', 'w', strides, `padding='${same ? 'same' : 'valid'}'`, extra, dilation])}${crop}\nprint(y.shape, y)`
  }
  const pad = padded && !same ? `x = ${numpyPad(state, pads, '(0, 0)', '(0, 0)')}\n` : ''
  return `${start}${w}${pad}y = ${call('ops.conv', ['x', 'w', strides, `padding='${same ? 'same' : 'valid'}'`, dilation])}\nprint(y.shape, y)  # ${rank} spatial ax${rank === 1 ? 'is' : 'es'}`
}
