import type { Code } from '../shared/frame.ts'
import type { ChannelState } from './state.ts'

/** The chosen layers in three libraries. */
export function code({ ci, co, k, n, g, pw, bias }: ChannelState): Code {
  const depthwise = pw && g === ci
  const first = pw ? ci : co
  const fovea = [
    `conv2d(${first}, ${k}, { padding: 'same', groups: ${g}${bias ? '' : ', bias: false'} }),`,
    ...(pw ? [`conv2d(${co}, 1${bias ? '' : ', { bias: false }'}),`] : []),
  ]
  const pytorch = [
    `nn.Conv2d(${ci}, ${first}, ${k}, padding='same', groups=${g}, bias=${bias ? 'True' : 'False'}),`,
    ...(pw ? [`nn.Conv2d(${ci}, ${co}, 1, bias=${bias ? 'True' : 'False'}),`] : []),
  ]
  const keras = depthwise
    ? [
        `layers.DepthwiseConv2D(${k}, padding="same", use_bias=${bias ? 'True' : 'False'}),`,
        `layers.Conv2D(${co}, 1, use_bias=${bias ? 'True' : 'False'}),`,
      ]
    : [
        `layers.Conv2D(${first}, ${k}, padding="same", groups=${g}, use_bias=${bias ? 'True' : 'False'}),`,
        ...(pw ? [`layers.Conv2D(${co}, 1, use_bias=${bias ? 'True' : 'False'}),`] : []),
      ]
  const indent = (lines: readonly string[]) => lines.map((line) => `  ${line}`).join('\n')
  return {
    fovea: `import { conv2d, sequential } from 'fovea/nn'\n\nconst model = sequential([${n}, ${n}, ${ci}], [\n${indent(fovea)}\n])`,
    pytorch: `from torch import nn\n\nmodel = nn.Sequential(  # takes [N, ${ci}, ${n}, ${n}]\n${indent(pytorch)}\n)`,
    keras: `import keras\nfrom keras import layers\n\nmodel = keras.Sequential([\n  keras.Input(shape=(${n}, ${n}, ${ci})),\n${indent(keras)}\n])`,
  }
}
