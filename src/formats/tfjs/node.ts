// A node of a TensorFlow graph as JSON: what its attributes say.
import { fail } from '../../base/errors.ts'
import type { Fixed } from '../onnx/elements.ts'
import { Entries, isRecord, type Json } from '../record.ts'

const operation = 'loadTfjs'

/** Texts are bytes in base64, or in old files a list of numbers. */
function textOf(value: unknown): string | undefined {
  if (Array.isArray(value)) return String.fromCharCode(...(value as number[]).slice(0, 1000))
  if (typeof value !== 'string') return undefined
  try {
    return atob(value)
  } catch {
    return undefined
  }
}

/** Whole numbers may be texts: JSON has no 64 bits. */
function wholeOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(number) ? (number as number) : undefined
}

/** Element types of TensorFlow by name and number, as ONNX has them. */
const types: Readonly<Record<string, Fixed['type']>> = {
  DT_FLOAT: 'float32',
  DT_DOUBLE: 'float32',
  DT_HALF: 'float32',
  DT_INT32: 'int64',
  DT_INT64: 'int64',
  DT_INT16: 'int64',
  DT_UINT8: 'int64',
  DT_INT8: 'int64',
  DT_BOOL: 'bool',
  1: 'float32',
  2: 'float32',
  3: 'int64',
  4: 'int64',
  9: 'int64',
  10: 'bool',
}

export const typeOf = (value: unknown): Fixed['type'] | undefined =>
  (typeof value === 'string' || typeof value === 'number') && Object.hasOwn(types, value) ? types[value] : undefined

/** Sizes of a shape entry; undefined where the rank is unknown, -1 for unknown sizes. */
export function dimsOf(value: unknown): number[] | undefined {
  if (!isRecord(value) || value.unknownRank === true) return undefined
  const dims = value.dim ?? []
  return Array.isArray(dims) ? dims.map((dim) => wholeOf(isRecord(dim) ? (dim.size ?? 0) : dim) ?? -1) : undefined
}

export class TfNode {
  readonly name: string
  readonly op: string
  /** Values that go in, as 'node' or 'node:1'; what only decides the order is left out. */
  readonly inputs: readonly string[]
  readonly #attributes: Json
  readonly #constants: ReadonlyMap<string, Fixed>

  /** @param constants known values by the name of their node */
  constructor(value: unknown, i: number, constants: ReadonlyMap<string, Fixed>) {
    const entries = new Entries(operation, `node ${i} of the graph`, value)
    this.name = entries.text('name')
    this.op = entries.text('op')
    const inputs = entries.has('input') ? entries.list('input') : []
    if (!inputs.every((input) => typeof input === 'string')) entries.fail("'input' isn't made of names")
    this.inputs = (inputs as string[]).filter((name) => !name.startsWith('^')).map((name) => name.replace(/:0$/, ''))
    const attributes = entries.value('attr')
    this.#attributes = isRecord(attributes) ? attributes : {}
    this.#constants = constants
  }

  get title(): string {
    return `${this.op} '${this.name}'`
  }

  fail(problem: string, remedy = 'Export the model without it'): never {
    return fail(operation, `${this.title}: ${problem}`, remedy)
  }

  input(i: number): string {
    return this.inputs[i] ?? this.fail(`input ${i} is missing`, 'The file is damaged')
  }

  attribute(name: string, kind: string): unknown {
    const attribute = Object.hasOwn(this.#attributes, name) ? this.#attributes[name] : undefined
    return isRecord(attribute) && Object.hasOwn(attribute, kind) ? attribute[kind] : undefined
  }

  #list(name: string, kind: string): readonly unknown[] | undefined {
    const list = this.attribute(name, 'list')
    const values = isRecord(list) ? list[kind] : undefined
    return Array.isArray(values) ? values : undefined
  }

  int(name: string, usual: number): number {
    return wholeOf(this.attribute(name, 'i')) ?? usual
  }

  float(name: string, usual: number): number {
    const value = this.attribute(name, 'f')
    return typeof value === 'number' ? value : usual
  }

  flag(name: string): boolean {
    return this.attribute(name, 'b') === true
  }

  text(name: string, usual: string): string {
    return textOf(this.attribute(name, 's')) ?? usual
  }

  ints(name: string): number[] {
    const list = this.#list(name, 'i') ?? []
    return list.map((value) => wholeOf(value) ?? this.fail(`attribute '${name}' isn't made of whole numbers`))
  }

  texts(name: string): string[] {
    return (this.#list(name, 's') ?? []).map((value) => textOf(value) ?? this.fail(`attribute '${name}' isn't text`))
  }

  type(name: string): Fixed['type'] {
    const type = typeOf(this.attribute(name, 'type'))
    return type ?? this.fail(`attribute '${name}' is no type that can be used`)
  }

  /** Input i, if its values are known. */
  constant(i: number): Fixed | undefined {
    return this.#constants.get(this.input(i))
  }

  /** Input i, whose values must be known. */
  known(i: number): Fixed {
    return this.constant(i) ?? this.fail(`input '${this.input(i)}' isn't a constant`)
  }

  numbers(i: number): number[] {
    const { data } = this.known(i)
    return data.length <= 4096 ? [...data] : this.fail(`input '${this.input(i)}' has ${data.length} values`)
  }
}
