import { fail } from '../../base/errors.ts'
import type { PaddingMode } from '../../conv/padding.ts'
import { add, conv, convTranspose, reshape } from '../../graph/index.ts'
import { fold, unfold } from '../../nn/index.ts'
import { channels, type Operation } from './expression.ts'
import { type Fields, number, numbers, pads, text } from './folder.ts'

const modes: Readonly<Record<string, PaddingMode>> = {
  zeros: 'zero',
  reflect: 'reflect',
  replicate: 'replicate',
  circular: 'circular',
}

/** Options that all convolutions share, as fovea names them. */
export function convOptions(fields: Fields, rank: number) {
  const mode = text(fields, 'padMode', 'zeros')
  return {
    stride: numbers(fields, 'stride', rank, 1),
    dilation: numbers(fields, 'dilation', rank, 1),
    groups: number(fields, 'groups', 1),
    padding: pads(fields, rank),
    paddingMode:
      modes[mode] ?? fail('golden', `padMode '${mode}' is unknown`, `Known: ${Object.keys(modes).join(', ')}`),
  }
}

const kernelLayouts = { ...channels, w: 'kernel' } as const

const convolution: Operation = {
  layouts: kernelLayouts,
  make(fields, inputs) {
    const x = inputs.get('x')
    const y = conv(x, inputs.get('w'), convOptions(fields, x.shape.length - 2))
    return inputs.has('b') ? add(y, inputs.get('b')) : y
  },
}

const transposed: Operation = {
  layouts: kernelLayouts,
  make(fields, inputs) {
    const x = inputs.get('x')
    const rank = x.shape.length - 2
    const outputPadding = numbers(fields, 'outputPadding', rank, 0)
    const y = convTranspose(x, inputs.get('w'), { ...convOptions(fields, rank), outputPadding })
    return inputs.has('b') ? add(y, inputs.get('b')) : y
  },
}

const patchOptions = (fields: Fields) => ({
  stride: numbers(fields, 'stride', 2, 1),
  dilation: numbers(fields, 'dilation', 2, 1),
  padding: pads(fields, 2),
})

/** [N, C, H, W] to [N, C * taps, windows]; here both have the channels last. */
const im2col: Operation = {
  layouts: channels,
  make(fields, inputs) {
    const y = unfold(inputs.get('x'), numbers(fields, 'kernel', 2), patchOptions(fields))
    return reshape(y, [y.shape[0]!, -1, y.shape.at(-1)!])
  },
}

const col2im: Operation = {
  layouts: channels,
  make(fields, inputs) {
    const x = inputs.get('x')
    const [size, kernel, options] = [numbers(fields, 'out', 2), numbers(fields, 'kernel', 2), patchOptions(fields)]
    const windows = size.map((n, axis) => {
      const [low, high] = options.padding[axis]!
      const reach = n + low + high - options.dilation[axis]! * (kernel[axis]! - 1) - 1
      return Math.floor(reach / options.stride[axis]!) + 1
    })
    return fold(reshape(x, [x.shape[0]!, ...windows, x.shape.at(-1)!]), size, kernel, options)
  },
}

export const convolutions: Readonly<Record<string, Operation>> = {
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  convTranspose1d: transposed,
  convTranspose2d: transposed,
  convTranspose3d: transposed,
  im2col,
  col2im,
}
