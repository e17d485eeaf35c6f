import type { OnnxTensor } from './model.ts'
import { readMessage, tensorTable } from './proto.ts'
import { readTensor } from './tensors.ts'

/** Reads a file that holds one tensor (TensorProto), and its name. */
export function readOnnxTensor(bytes: Uint8Array): OnnxTensor & { readonly name: string } {
  const message = readMessage(bytes, tensorTable)
  const { name = '' } = message
  return { name, ...readTensor(message, `tensor '${name}'`) }
}
