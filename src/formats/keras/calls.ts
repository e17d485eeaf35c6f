// How Keras writes down which layers a layer is called on, in the versions 2 and 3.
import { type Entries, isRecord } from '../record.ts'

/** One tensor: the result of use `node` of a layer. */
export interface Reference {
  readonly layer: string
  readonly node: number
}

function reference(entries: Entries, layer: unknown, node: unknown, tensor: unknown): Reference {
  if (typeof layer !== 'string' || !Number.isSafeInteger(node) || (node as number) < 0)
    return entries.fail(`an input is ${JSON.stringify([layer, node])}`)
  if (tensor !== 0) entries.fail(`it takes result ${String(tensor)} of '${layer}'`, 'Use layers with one result')
  return { layer, node: node as number }
}

/** Keras 2: [name, use, result, arguments], or a list of those. */
function oldReferences(entries: Entries, value: unknown): Reference[] {
  if (!Array.isArray(value)) return entries.fail("its inputs aren't a list")
  if (typeof value[0] === 'string') return [reference(entries, value[0], value[1], value[2] ?? 0)]
  return value.flatMap((entry) => oldReferences(entries, entry))
}

/** Keras 3: records of class '__keras_tensor__' anywhere among the arguments. */
function newReferences(entries: Entries, value: unknown, depth = 0): Reference[] {
  if (depth > 20) return entries.fail('its arguments are nested too deeply')
  if (Array.isArray(value)) return value.flatMap((entry) => newReferences(entries, entry, depth + 1))
  if (!isRecord(value)) return []
  if (value.class_name !== '__keras_tensor__') return []
  const history = isRecord(value.config) ? value.config.keras_history : undefined
  if (!Array.isArray(history)) return entries.fail('an argument has no keras_history')
  return [reference(entries, history[0], history[1], history[2])]
}

/** The inputs of each use of a layer. */
export function callsOf(entries: Entries): Reference[][] {
  const uses = entries.has('inbound_nodes') ? entries.list('inbound_nodes') : []
  return uses.map((use) => (isRecord(use) ? newReferences(entries, use.args) : oldReferences(entries, use)))
}

/** The tensors of 'input_layers' or 'output_layers': [name, use, result], or a list of those. */
export function referencesOf(entries: Entries, name: string): Reference[] {
  const value = entries.value(name)
  // records of names to tensors: the order is that of the names in the file
  return isRecord(value)
    ? Object.values(value).flatMap((entry) => oldReferences(entries, entry))
    : oldReferences(entries, value)
}
