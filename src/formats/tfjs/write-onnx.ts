import { elementCode } from '../onnx/elements.ts'
import type { OnnxGraph, Port } from '../onnx/graph.ts'
import { modelTable, writeMessage } from '../onnx/proto.ts'
import { tensorMessage } from '../onnx/tensors.ts'

const irVersion = 8

function portMessage({ name, type, shape }: Port) {
  const dims = shape?.map((n) => (typeof n === 'string' ? { parameter: n } : { value: n }))
  return { name, type: { tensor: { elementType: elementCode(type), ...(dims ? { shape: { dims } } : {}) } } }
}

/** The bytes of an ONNX file of a graph, with the constants that its nodes use. */
export function writeOnnxGraph(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  const used = new Set(graph.nodes.flatMap((node) => node.inputs))
  const constants = [...graph.initializers].filter(([name]) => used.has(name))
  return writeMessage(modelTable, {
    irVersion,
    producerName: 'fovea',
    graph: {
      name: graph.name,
      nodes: graph.nodes.map(({ op, domain, inputs, outputs, attributes }, i) => ({
        name: `${op}_${i}`,
        opType: op,
        domain,
        inputs,
        outputs,
        attributes: [...attributes.values()],
      })),
      initializers: constants.map(([name, value]) => tensorMessage(name, value)),
      inputs: graph.inputs.map(portMessage),
      outputs: graph.outputs.map(portMessage),
    },
    opsets: [{ domain: '', version: graph.opset }],
  })
}
