import { conv2d, dense, flatten, type Layer, type Model, maxPool2d, sequential } from 'fovea/nn'
import type { NetworkName } from './protocol.ts'

/** A network as its layers, each beside the text that makes it. */
type Lines = readonly (readonly [code: string, layer: Layer])[]

const relu = { activation: 'relu' } as const
const same = { padding: 'same', activation: 'relu' } as const

const layersOf: Record<NetworkName, (classes: number) => Lines> = {
  small: (classes) => [
    ["conv2d(8, 5, { padding: 'same', activation: 'relu' })", conv2d(8, 5, same)],
    ['maxPool2d(2)', maxPool2d(2)],
    ["conv2d(16, 5, { activation: 'relu' })", conv2d(16, 5, relu)],
    ['maxPool2d(2)', maxPool2d(2)],
    ['flatten()', flatten()],
    [`dense(${classes})`, dense(classes)],
  ],
  lenet5: (classes) => [
    ["conv2d(6, 5, { padding: 'same', activation: 'relu' })", conv2d(6, 5, same)],
    ['maxPool2d(2)', maxPool2d(2)],
    ["conv2d(16, 5, { activation: 'relu' })", conv2d(16, 5, relu)],
    ['maxPool2d(2)', maxPool2d(2)],
    ['flatten()', flatten()],
    ["dense(120, { activation: 'relu' })", dense(120, relu)],
    ["dense(84, { activation: 'relu' })", dense(84, relu)],
    [`dense(${classes})`, dense(classes)],
  ],
  one: (classes) => [
    ["conv2d(12, 9, { activation: 'relu' })", conv2d(12, 9, relu)],
    ['maxPool2d(4)', maxPool2d(4)],
    ['flatten()', flatten()],
    [`dense(${classes})`, dense(classes)],
  ],
  strided: (classes) => [
    ["conv2d(8, 5, { stride: 2, padding: 2, activation: 'relu' })", conv2d(8, 5, { stride: 2, padding: 2, ...relu })],
    ["conv2d(16, 3, { stride: 2, padding: 1, activation: 'relu' })", conv2d(16, 3, { stride: 2, padding: 1, ...relu })],
    ['flatten()', flatten()],
    [`dense(${classes})`, dense(classes)],
  ],
  dense: (classes) => [
    ['flatten()', flatten()],
    [`dense(${classes})`, dense(classes)],
  ],
}

/** The network for pictures [size, size, 1], and the code that makes it. */
export function networkOf(
  name: NetworkName,
  size: number,
  classes: number,
  seed: number,
): { model: Model; code: string } {
  const lines = layersOf[name](classes)
  const model = sequential(
    [size, size, 1],
    lines.map(([, layer]) => layer),
    { seed, name },
  )
  const code = lines.map(([text]) => `  ${text},`).join('\n')
  return { model, code: `const model = sequential([${size}, ${size}, 1], [\n${code}\n], { seed: ${seed} })` }
}
