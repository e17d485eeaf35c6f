import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fail } from '../../base/errors.ts'
import { type Shape, showShape, sizeOf } from '../../base/shape.ts'

/** A tensor as it is stored: channels behind the batch, row-major. */
export interface Stored {
  readonly shape: Shape
  readonly data: Float32Array
}

/** One case of a folder. Its other fields are read by `number`, `numbers`, `text` and `flag`. */
export interface Case {
  readonly id: string
  readonly group: string
  readonly op: string
  readonly fields: Fields
  readonly tensors: ReadonlyMap<string, Stored>
  /** Largest error of a float32 implementation, per tensor; not for every tensor. */
  readonly f32err: Readonly<Record<string, number>>
}

export type Fields = Readonly<Record<string, unknown>>

export interface Folder {
  readonly path: string
  readonly cases: readonly Case[]
  /** Version of PyTorch that made it. */
  readonly torch: readonly number[]
  /** How many cases meta.json promises, if it does. */
  readonly promised?: number
}

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parse(path: string, text: string, where: string): Fields {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    fail('golden', `${where} of ${path} isn't JSON: ${(error as Error).message}`, 'Copy the folder again')
  }
  if (!isRecord(value)) fail('golden', `${where} of ${path} isn't an object`, 'See FORMAT.md')
  return value
}

function fileOf(folder: string, name: string): Buffer {
  const path = join(folder, name)
  if (!existsSync(path)) fail('golden', `there is no file ${path}`, 'Give a folder with cases.jsonl and data.bin')
  return readFileSync(path)
}

function storedOf(where: string, entry: unknown, floats: Float32Array): Stored {
  if (!isRecord(entry)) return fail('golden', `${where} isn't {shape, off}`, 'See FORMAT.md')
  const { shape, off } = entry
  const whole = (value: unknown, least: number): value is number =>
    Number.isSafeInteger(value) && Number(value) >= least
  if (!Array.isArray(shape) || !shape.every((n) => whole(n, 1)))
    return fail('golden', `${where} has shape ${JSON.stringify(shape)}`, 'Give whole sizes >= 1')
  const size = sizeOf(shape)
  if (!whole(off, 0) || off + size > floats.length)
    return fail(
      'golden',
      `${where} with shape ${showShape(shape)} at ${off} leaves data.bin, which holds ${floats.length} numbers`,
      'Copy the folder again',
    )
  return { shape, data: floats.slice(off, off + size) }
}

function caseOf(path: string, line: string, at: number, floats: Float32Array): Case {
  const where = `line ${at + 1}`
  const fields = parse(path, line, where)
  const { id, group, op, tensors, f32err = {} } = fields
  for (const [name, value] of Object.entries({ id, group, op }))
    if (typeof value !== 'string') fail('golden', `${where} of ${path} has no '${name}'`, 'See FORMAT.md')
  if (!isRecord(tensors)) return fail('golden', `${where} of ${path} has no 'tensors'`, 'See FORMAT.md')
  if (!isRecord(f32err) || Object.values(f32err).some((value) => typeof value !== 'number'))
    return fail('golden', `f32err in ${where} of ${path} isn't an object of numbers`, 'See FORMAT.md')
  const stored = Object.entries(tensors).map(
    ([name, entry]) => [name, storedOf(`tensor '${name}' of ${id}`, entry, floats)] as const,
  )
  return {
    id: id as string,
    group: group as string,
    op: op as string,
    fields,
    tensors: new Map(stored),
    f32err: f32err as Record<string, number>,
  }
}

/** The format's own version of PyTorch, for folders that don't tell theirs. */
const usualTorch = '1.13'

/** Reads a folder of golden vectors: cases.jsonl, data.bin and, if it's there, meta.json, as their FORMAT.md says. */
export function readFolder(path: string): Folder {
  const described = existsSync(join(path, 'meta.json'))
  const meta = described ? parse('meta.json', fileOf(path, 'meta.json').toString(), 'the text') : {}
  const lines = fileOf(path, 'cases.jsonl').toString().split('\n')
  const bytes = fileOf(path, 'data.bin')
  if (bytes.length % 4 !== 0)
    fail('golden', `data.bin holds ${bytes.length} bytes`, 'It must hold whole float32 numbers')
  const floats = new Float32Array(bytes.length / 4)
  floats.forEach((_, i) => {
    floats[i] = bytes.readFloatLE(4 * i)
  })
  const cases = lines.flatMap((line, at) => (line.trim() === '' ? [] : [caseOf('cases.jsonl', line, at, floats)]))
  if (cases.length === 0) fail('golden', `${path} holds no cases`, 'Copy the folder again')
  const version = typeof meta.torch === 'string' ? meta.torch : usualTorch
  const torch = version.split('.').map((part) => Number.parseInt(part, 10))
  return { path, cases, torch, ...(typeof meta.cases === 'number' ? { promised: meta.cases } : {}) }
}

function bad(what: string, name: string, value: unknown, expected: string): never {
  return fail('golden', `'${name}' of ${what} is ${JSON.stringify(value)}`, `It must be ${expected}`)
}

const titleOf = (fields: Fields) => String(fields.id ?? fields.name ?? fields.type)

/** A field that is a number; without `usual` it must be there. */
export function number(fields: Fields, name: string, usual?: number): number {
  const value = fields[name] ?? usual
  return typeof value === 'number' ? value : bad(titleOf(fields), name, value, 'a number')
}

/** A field that is a list of numbers, or one number for each of `rank` axes. */
export function numbers(fields: Fields, name: string, rank = 1, usual?: number): number[] {
  const value = fields[name] ?? usual
  if (typeof value === 'number') return new Array<number>(rank).fill(value)
  const right = Array.isArray(value) && value.every((n) => typeof n === 'number')
  return right ? value : bad(titleOf(fields), name, value, 'a list of numbers')
}

export function text(fields: Fields, name: string, usual?: string): string {
  const value = fields[name] ?? usual
  return typeof value === 'string' ? value : bad(titleOf(fields), name, value, 'a text')
}

export function flag(fields: Fields, name: string, usual = false): boolean {
  const value = fields[name] ?? usual
  return typeof value === 'boolean' ? value : bad(titleOf(fields), name, value, 'true or false')
}

/** Records in a list: the layers of a network. */
export function records(fields: Fields, name: string): Fields[] {
  const value = fields[name]
  return Array.isArray(value) && value.every(isRecord) ? value : bad(titleOf(fields), name, value, 'a list of objects')
}

/** A field that is a record; {} where it is missing. */
export function record(fields: Fields, name: string): Fields {
  const value = fields[name] ?? {}
  return isRecord(value) ? value : bad(titleOf(fields), name, value, 'an object')
}

/** ONNX's pads, all begins and then all ends, as pairs; no pads where the field is missing. */
export function pads(fields: Fields, rank: number): [number, number][] {
  const list = numbers(fields, 'pads', 2 * rank, 0)
  if (list.length !== 2 * rank) bad(titleOf(fields), 'pads', list, `${2 * rank} numbers`)
  return list.slice(0, rank).map((low, axis) => [low, list[rank + axis]!])
}
