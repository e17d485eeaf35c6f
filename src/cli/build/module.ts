import type { Shape } from '../../base/shape.ts'
import { bytesOf, start } from './runtime.ts'

/** A module of one function that has a relaxed multiply-add in it: whether it's valid tells what the engine can do. */
export const relaxedProbe = [
  ...[0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0],
  ...[65, 0, 253, 15, 65, 0, 253, 15, 65, 0, 253, 15, 253, 133, 2, 11],
]

export interface FileNames {
  readonly wasm: string
  readonly relaxed: string
  readonly weights: string
}

/** The text of model.js: the runtime, and where its files are, written so that bundlers find them. */
export function moduleText({ wasm, relaxed, weights }: FileNames): string {
  const beside = (name: string) => `new URL('./${name}', import.meta.url)`
  return `// Made by fovea build. It needs no library: import { load } from it.
${bytesOf}

${start}

const relaxed = WebAssembly.validate(new Uint8Array([${relaxedProbe}]))

/** Fetches the weights and the module for this engine, and makes them ready to run. */
export async function load() {
  const code = relaxed ? ${beside(relaxed)} : ${beside(wasm)}
  const weights = ${beside(weights)}
  const [codeBytes, weightBytes] = await Promise.all([bytesOf(code), bytesOf(weights)])
  return start(codeBytes, weightBytes)
}
`
}

type Shapes = ReadonlyMap<string, Shape>

/** The text of model.d.ts. */
export function typesText(inputs: Shapes, outputs: Shapes): string {
  const fields = (entries: Iterable<readonly [string, string]>, indent: string) =>
    [...entries].map(([name, type]) => `${indent}readonly ${JSON.stringify(name)}: ${type}\n`).join('')
  const shapes = (ports: Shapes) =>
    fields(
      [...ports].map(([name, shape]) => [name, `readonly [${shape.join(', ')}]`] as const),
      '    ',
    )
  const all = (ports: Shapes, type: string) =>
    fields(
      [...ports.keys()].map((name) => [name, type] as const),
      '  ',
    )
  return `/** Values by name, row-major. */
export interface Inputs {
${all(inputs, 'ArrayLike<number>')}}

/** Values by name, row-major. */
export interface Outputs {
${all(outputs, 'Float32Array<ArrayBuffer>')}}

export interface Model {
  /** Shapes by name. */
  readonly inputs: {
${shapes(inputs)}  }
  readonly outputs: {
${shapes(outputs)}  }
  /** Computes all outputs, on the calling thread: a page that should stay responsive calls it in a worker. */
  run(inputs: Inputs): Promise<Outputs>
}

/** Fetches the weights and the module for this engine, and makes them ready to run. */
export function load(): Promise<Model>
`
}
