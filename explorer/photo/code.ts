import type { Code } from '../shared/frame.ts'
import { settingsOf } from './frame.ts'
import { divisor, sizeOf } from './model.ts'
import type { PhotoState } from './state.ts'

const shortest = (w: number) => String(Number(w.toPrecision(4)))

/** The same feature map in three libraries, of a picture of this size. */
export function code(state: PhotoState, picture: { readonly width: number; readonly height: number }): Code {
  const { k, n, b, s, e } = state
  const size = k.length
  const { value: by } = divisor(k, n)
  const rows = k.map((row) => `  ${row.map((w) => shortest(w / by)).join(', ')},`).join('\n')
  const { padLow, padHigh } = sizeOf({ ...picture, channels: 1 }, settingsOf(state))
  const [down, across] = [0, 1].map((axis) => `${padLow[axis]}, ${padHigh[axis]}`)
  const mode = {
    valid: '',
    zero: 'constant',
    reflect: 'reflect',
    symmetric: '',
    replicate: 'replicate',
    circular: 'circular',
  }[e]
  const pads = `(${across}, ${down})`
  const torchPad =
    e === 'valid'
      ? []
      : e === 'symmetric'
        ? [
            '# PyTorch has no symmetric border: pad with NumPy',
            `x = torch.tensor(np.pad(x, ((0, 0), (0, 0), (${down}), (${across})), mode="symmetric"))`,
          ]
        : [`x = F.pad(x, ${pads}, mode="${mode}")`]
  const npMode = {
    valid: '',
    zero: 'constant',
    reflect: 'reflect',
    symmetric: 'symmetric',
    replicate: 'edge',
    circular: 'wrap',
  }[e]
  const kerasPad = e === 'valid' ? [] : [`x = np.pad(x, ((0, 0), (${down}), (${across}), (0, 0)), mode="${npMode}")`]
  const options = [
    ...(s === 1 ? [] : [`stride: ${s}`]),
    ...(e === 'valid' ? [] : [`padding: 'same'`, ...(e === 'zero' ? [] : [`paddingMode: '${e}'`])]),
  ].join(', ')
  const bias = b === 0 ? '' : ` + ${b}`
  return {
    fovea: `import { ${b === 0 ? '' : 'add, '}conv, tensor } from 'fovea'

const w = tensor([
${rows}
], [${size}, ${size}, 1, 1])
// x: brightness, [1, height, width, 1]
const y = ${b === 0 ? '' : 'add('}conv(x, w${options ? `, { ${options} }` : ''})${b === 0 ? '' : `, ${b})`}
const values = await y.data()`,
    pytorch: [
      'import numpy as np, torch, torch.nn.functional as F',
      '',
      `w = torch.tensor([\n${rows}\n]).reshape(1, 1, ${size}, ${size})`,
      '# x: brightness, [1, 1, height, width]',
      ...torchPad,
      `y = F.conv2d(x, w, stride=${s})${bias}`,
    ].join('\n'),
    keras: [
      'import numpy as np, keras',
      '',
      `w = np.array([\n${rows}\n]).reshape(${size}, ${size}, 1, 1)`,
      '# x: brightness, [1, height, width, 1]',
      ...kerasPad,
      `y = keras.ops.conv(x, w, strides=${s})${bias}`,
    ].join('\n'),
  }
}
