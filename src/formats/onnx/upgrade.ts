import { fail } from '../../base/errors.ts'
import type { MessageDraft, NodeMessage, nodeTable } from './proto.ts'

type NodeDraft = MessageDraft<typeof nodeTable>

/** Operations whose attribute became an input by opset 13: the attribute, and from which opset on it is none. */
const toInputs: Readonly<Record<string, { readonly names: readonly string[]; readonly since: number }>> = {
  ReduceSum: { names: ['axes'], since: 13 },
  Slice: { names: ['starts', 'ends', 'axes'], since: 10 },
  Split: { names: ['split'], since: 13 },
  Squeeze: { names: ['axes'], since: 13 },
  Unsqueeze: { names: ['axes'], since: 13 },
}

/** Operations that mean something else at opset 13 than before the opset given here. */
const changed: Readonly<Record<string, number>> = {
  BatchNormalization: 9,
  Clip: 11,
  Dropout: 12,
  Hardmax: 13,
  LogSoftmax: 13,
  OneHot: 9,
  Pad: 11,
  Resize: 11,
  Scan: 9,
  Softmax: 13,
  TopK: 10,
  Upsample: 10,
}

/**
 * A node of an opset from 7 on as opset 13 writes it.
 * @param constant makes a constant of whole numbers and gives its name
 */
export function upgraded(node: NodeMessage, opset: number, constant: (values: readonly number[]) => string): NodeDraft {
  const { opType = '', inputs, attributes, outputs } = node
  if (Object.hasOwn(changed, opType) && opset < changed[opType])
    fail(
      'quantize',
      `the model is of opset ${opset}, in which ${opType} '${outputs[0]}' means something else than in 13`,
      'Convert the model to opset 13 or newer',
    )
  const rule = Object.hasOwn(toInputs, opType) ? toInputs[opType] : undefined
  if (!rule || opset >= rule.since) return node as NodeDraft
  const moved = rule.names.map((name) => {
    const list = attributes.find((attribute) => attribute.name === name)?.ints
    return list ? constant(list) : ''
  })
  while (moved.at(-1) === '') moved.pop()
  const rest = attributes.filter(({ name = '' }) => !rule.names.includes(name))
  return { ...node, inputs: [...inputs, ...moved], attributes: rest } as NodeDraft
}
