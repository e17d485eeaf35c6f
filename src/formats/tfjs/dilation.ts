import type { Fixed } from '../onnx/elements.ts'
import { isRecord, type Json } from '../record.ts'

const plain = (name: string) => name.replace(/:0$/, '')

const inputsOf = (node: Json): string[] =>
  (Array.isArray(node.input) ? node.input : []).filter((x) => typeof x === 'string')

const convolutions = [
  'Conv2D',
  '_FusedConv2D',
  'DepthwiseConv2dNative',
  'DepthwiseConv2d',
  'FusedDepthwiseConv2dNative',
]

/** A dilated convolution of pads around it, in the place of the node that ends it. */
function dilated(node: Json, conv: Json, start: Json, constants: ReadonlyMap<string, Fixed>): Json | undefined {
  const known = (name: string | undefined) => (name === undefined ? undefined : constants.get(plain(name))?.data)
  const [x, block, pads] = inputsOf(start)
  const [blockSize, paddings] = [known(block), known(pads)]
  const [, blockAfter, cropsName] = inputsOf(node)
  const [sizeAfter, crops] = [known(blockAfter), known(cropsName)]
  if (!x || blockSize?.length !== 2 || paddings?.length !== 4 || sizeAfter?.length !== 2 || crops?.length !== 4)
    return undefined
  if (blockSize.some((n, i) => n !== sizeAfter[i])) return undefined
  const attributes = isRecord(conv.attr) ? conv.attr : {}
  const padding = isRecord(attributes.padding) ? attributes.padding.s : undefined
  if (padding !== btoa('VALID')) return undefined
  const list = (i: readonly number[]) => ({ list: { i } })
  const attr = {
    ...attributes,
    padding: { s: btoa('EXPLICIT') },
    explicit_paddings: list([0, 0, ...Array.from(paddings, (n, i) => n - crops[i]), 0, 0]),
    dilations: list([1, ...blockSize, 1]),
  }
  return { name: node.name, op: conv.op, input: [x, ...inputsOf(conv).slice(1)], attr }
}

/**
 * TensorFlow writes a dilated convolution as SpaceToBatchND, a plain convolution and BatchToSpaceND (Chen et al. 2018
 * call it atrous). Such threes become one convolution with dilation again.
 */
export function foldDilation(nodes: readonly unknown[], constants: ReadonlyMap<string, Fixed>): unknown[] {
  const byName = new Map<string, Json>()
  for (const node of nodes) if (isRecord(node) && typeof node.name === 'string') byName.set(node.name, node)
  const maker = (node: Json) => byName.get(plain(inputsOf(node)[0] ?? ''))
  return nodes.map((node) => {
    if (!isRecord(node) || node.op !== 'BatchToSpaceND') return node
    const conv = maker(node)
    const start = conv && maker(conv)
    const fits = convolutions.includes(String(conv?.op)) && start?.op === 'SpaceToBatchND'
    return (fits && dilated(node, conv!, start, constants)) || node
  })
}
