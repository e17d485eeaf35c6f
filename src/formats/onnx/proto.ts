// The messages of onnx.proto3 (github.com/onnx/onnx) that a model needs, as tables, and a reader and writer of them.
import { BinaryReader, BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import { FoveaError, fail } from '../../base/errors.ts'

type Scalar = 'string' | 'int' | 'uint' | 'float' | 'double' | 'bytes'
type Table = { readonly [name: string]: Field }
interface Field {
  readonly tag: number
  readonly kind: Scalar | Table
  readonly many: boolean
}

type ValueOf<K> = K extends 'string' ? string : K extends 'bytes' ? Uint8Array : K extends Scalar ? number : Message<K>
/** What a table describes: repeated fields are lists, others may be missing. */
export type Message<T> = {
  readonly [N in keyof T]: T[N] extends { kind: infer K; many: infer M }
    ? M extends true
      ? readonly ValueOf<K>[]
      : ValueOf<K> | undefined
    : never
}

const one = <const K extends Scalar | Table>(tag: number, kind: K) => ({ tag, kind, many: false }) as const
const many = <const K extends Scalar | Table>(tag: number, kind: K) => ({ tag, kind, many: true }) as const

const entryTable = { key: one(1, 'string'), value: one(2, 'string') }

export const tensorTable = {
  dims: many(1, 'int'),
  dataType: one(2, 'int'),
  segment: one(3, 'bytes'),
  floatData: many(4, 'float'),
  int32Data: many(5, 'int'),
  stringData: many(6, 'bytes'),
  int64Data: many(7, 'int'),
  name: one(8, 'string'),
  rawData: one(9, 'bytes'),
  doubleData: many(10, 'double'),
  uint64Data: many(11, 'uint'),
  externalData: many(13, entryTable),
  dataLocation: one(14, 'int'),
}

/** A graph as an attribute (of If, Loop, Scan) is kept as bytes: no such node can be run. */
const attributeTable = {
  name: one(1, 'string'),
  f: one(2, 'float'),
  i: one(3, 'int'),
  s: one(4, 'bytes'),
  t: one(5, tensorTable),
  g: one(6, 'bytes'),
  floats: many(7, 'float'),
  ints: many(8, 'int'),
  strings: many(9, 'bytes'),
  type: one(20, 'int'),
}

export const nodeTable = {
  inputs: many(1, 'string'),
  outputs: many(2, 'string'),
  name: one(3, 'string'),
  opType: one(4, 'string'),
  attributes: many(5, attributeTable),
  domain: one(7, 'string'),
}

const dimensionTable = { value: one(1, 'int'), parameter: one(2, 'string') }
const typeTable = {
  tensor: one(1, { elementType: one(1, 'int'), shape: one(2, { dims: many(1, dimensionTable) }) }),
}
const valueTable = { name: one(1, 'string'), type: one(2, typeTable) }

const graphTable = {
  nodes: many(1, nodeTable),
  name: one(2, 'string'),
  initializers: many(5, tensorTable),
  inputs: many(11, valueTable),
  outputs: many(12, valueTable),
  sparseInitializers: many(15, 'bytes'),
}

export const modelTable = {
  irVersion: one(1, 'int'),
  producerName: one(2, 'string'),
  graph: one(7, graphTable),
  opsets: many(8, { domain: one(1, 'string'), version: one(2, 'int') }),
}

export type TensorMessage = Message<typeof tensorTable>
export type AttributeMessage = Message<typeof attributeTable>
export type NodeMessage = Message<typeof nodeTable>
export type GraphMessage = Message<typeof graphTable>
export type ModelMessage = Message<typeof modelTable>
export type ValueMessage = Message<typeof valueTable>

/** Longest list of messages or texts: a few bytes of a file must not become gigabytes of objects. */
const longestList = 200_000

const bad = (problem: string): never => fail('loadOnnx', problem, 'The file is damaged, or no ONNX model')

const wireTypes: Record<Scalar, WireType> = {
  string: WireType.LengthDelimited,
  bytes: WireType.LengthDelimited,
  int: WireType.Varint,
  uint: WireType.Varint,
  float: WireType.Bit32,
  double: WireType.Bit64,
}

function readScalar(reader: BinaryReader, kind: Scalar): unknown {
  switch (kind) {
    case 'string':
      return reader.string()
    case 'bytes':
      return reader.bytes()
    case 'int':
      return Number(reader.int64())
    case 'uint':
      return Number(reader.uint64())
    case 'float':
      return reader.float()
    case 'double':
      return reader.double()
  }
}

/** Longest list of whole numbers: a byte of a file may become sixteen of memory. More belong in raw data. */
const longestNumbers = 2 ** 22

/** A list of numbers in one piece, after those that were there. */
function readPacked(bytes: Uint8Array, kind: Scalar, before: readonly number[]): readonly number[] {
  if (kind === 'float' && before.length === 0 && bytes.length > 4096 && bytes.length % 4 === 0) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const list: ArrayLike<number> = Float32Array.from({ length: bytes.length / 4 }, (_, i) =>
      view.getFloat32(4 * i, true),
    )
    return list as readonly number[]
  }
  const list = Array.from(before)
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    if (list.length >= longestNumbers) bad(`a list has more than ${longestNumbers} numbers`)
    list.push(readScalar(reader, kind) as number)
  }
  return list
}

function readField(reader: BinaryReader, wire: WireType, name: string, field: Field, start: number): unknown {
  const { kind } = field
  const expected = typeof kind === 'string' ? wireTypes[kind] : WireType.LengthDelimited
  if (wire !== expected) bad(`field '${name}' at byte ${start + reader.pos} has wire type ${wire}, not ${expected}`)
  if (typeof kind === 'string') return readScalar(reader, kind)
  const bytes = reader.bytes()
  return readTable(bytes, kind, start + reader.pos - bytes.length)
}

function readTable(bytes: Uint8Array, table: Table, start: number): Record<string, unknown> {
  const result: Record<string, unknown> = {}
  const byTag = new Map<number, string>()
  for (const [name, { tag, many }] of Object.entries(table)) {
    byTag.set(tag, name)
    if (many) result[name] = []
  }
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const at = start + reader.pos
    try {
      const [tag, wire] = reader.tag()
      const name = byTag.get(tag)
      if (wire === WireType.StartGroup || wire === WireType.EndGroup) bad(`byte ${at} starts a group`)
      if (name === undefined) {
        reader.skip(wire)
        continue
      }
      const field = table[name]
      const list = result[name] as unknown[]
      const packed = field.many && wire === WireType.LengthDelimited && typeof field.kind === 'string'
      if (packed && wireTypes[field.kind as Scalar] !== WireType.LengthDelimited)
        result[name] = readPacked(reader.bytes(), field.kind as Scalar, list as number[])
      else if (field.many) {
        const most = wire === WireType.LengthDelimited ? longestList : longestNumbers
        if (list.length >= most) bad(`field '${name}' at byte ${at} has more than ${most} entries`)
        list.push(readField(reader, wire, name, field, start))
      } else result[name] = readField(reader, wire, name, field, start)
      if (reader.pos > reader.len) bad(`field '${name}' at byte ${at} is longer than what is left`)
    } catch (error) {
      if (error instanceof FoveaError) throw error
      bad(`byte ${at}: ${(error as Error).message}`)
    }
  }
  return result
}

/** Reads a message; whatever the bytes are, nothing outside them is read and nothing larger than they is allocated. */
export const readMessage = <T extends Table>(bytes: Uint8Array, table: T): Message<T> =>
  readTable(bytes, table, 0) as Message<T>

function writeScalar(writer: BinaryWriter, kind: Scalar, value: unknown): void {
  if (kind === 'string') writer.string(value as string)
  else if (kind === 'bytes') writer.bytes(value as Uint8Array)
  else if (kind === 'int') writer.int64(BigInt(value as number))
  else if (kind === 'uint') writer.uint64(BigInt(value as number))
  else if (kind === 'float') writer.float(value as number)
  else writer.double(value as number)
}

function writeTable(writer: BinaryWriter, table: Table, message: Readonly<Record<string, unknown>>): void {
  for (const [name, { tag, kind, many }] of Object.entries(table)) {
    const value = message[name]
    if (value === undefined) continue
    const list = many ? (value as readonly unknown[]) : [value]
    if (typeof kind !== 'string')
      for (const item of list) {
        writer.tag(tag, WireType.LengthDelimited).fork()
        writeTable(writer, kind, item as Record<string, unknown>)
        writer.join()
      }
    else if (many && wireTypes[kind] !== WireType.LengthDelimited) {
      if (list.length === 0) continue
      writer.tag(tag, WireType.LengthDelimited).fork()
      for (const item of list) writeScalar(writer, kind, item)
      writer.join()
    } else for (const item of list) writeScalar(writer.tag(tag, wireTypes[kind]), kind, item)
  }
}

type Draft<K> = K extends { kind: infer T; many: infer M } ? (M extends true ? readonly Item<T>[] : Item<T>) : never
type Item<K> = K extends 'string' | 'int' | 'uint' | 'float' | 'double' | 'bytes' ? ValueOf<K> : MessageDraft<K>
/** A message to be written: every field may be left out. */
export type MessageDraft<T> = { readonly [N in keyof T]?: Draft<T[N]> }

/** The bytes of a message. */
export function writeMessage<T extends Table>(table: T, message: MessageDraft<T>): Uint8Array<ArrayBuffer> {
  const writer = new BinaryWriter()
  writeTable(writer, table, message as Record<string, unknown>)
  return writer.finish()
}
