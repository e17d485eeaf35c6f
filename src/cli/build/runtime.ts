// What runs a built model, in a page or in Node. The source of these two functions becomes part of model.js: they may
// use nothing from outside themselves.
import type { StandaloneCall, StandalonePlan } from '../../program/standalone.ts'

type Shapes = Record<string, readonly number[]>

export interface BuiltModel {
  readonly inputs: Shapes
  readonly outputs: Shapes
  run(given: Record<string, ArrayLike<number>>): Promise<Record<string, Float32Array>>
}

/** The bytes of a file beside the module. */
export async function bytesOf(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const node = globalThis.process?.getBuiltinModule
  if (node && url.protocol === 'file:') return new Uint8Array(await node('node:fs/promises').readFile(url))
  const response = await fetch(url)
  if (!response.ok) throw new Error(`${url} can't be fetched: ${response.status} ${response.statusText}`)
  return new Uint8Array(await response.arrayBuffer())
}

/** A model from its module, in which a section says what to run on which bytes, and its weights. */
export async function start(code: Uint8Array<ArrayBuffer>, weights: Uint8Array<ArrayBuffer>): Promise<BuiltModel> {
  const module = await WebAssembly.compile(code)
  const text = new TextDecoder().decode(WebAssembly.Module.customSections(module, 'fovea')[0])
  const plan: StandalonePlan = JSON.parse(text)
  if (weights.length !== plan.weightBytes)
    throw new Error(`the weights have ${weights.length} bytes, not ${plan.weightBytes}: they are of another build`)
  const memory = new WebAssembly.Memory({ initial: plan.pages })
  const { exports } = await WebAssembly.instantiate(module, { env: { memory } })
  const bytes = new Uint8Array(memory.buffer)
  const floats = new Float32Array(memory.buffer)
  const runAll = (calls: readonly StandaloneCall[]) => {
    for (const [kernel, ...numbers] of calls) (exports[`k${kernel}`] as (...numbers: number[]) => void)(...numbers)
  }
  const shapesOf = (ports: StandalonePlan['inputs']): Shapes =>
    Object.fromEntries(ports.map(({ name, shape }) => [name, shape]))
  for (const [at, from, count, size] of plan.weights) {
    const part = weights.subarray(from, from + count * size)
    if (size === 4) bytes.set(part, at)
    else floats.set(new Int8Array(part.buffer, part.byteOffset, count), at / 4)
  }
  runAll(plan.first)
  return {
    inputs: shapesOf(plan.inputs),
    outputs: shapesOf(plan.outputs),
    async run(given) {
      for (const { name, shape, length, at } of plan.inputs) {
        const values = Object.hasOwn(given, name) ? given[name] : undefined
        if (values?.length !== length)
          throw new TypeError(
            `run: input '${name}' has ${values?.length ?? 'no'} values; it takes ${length}, [${shape.join(', ')}]`,
          )
        if (at >= 0) floats.set(values, at / 4)
      }
      runAll(plan.each)
      return Object.fromEntries(
        plan.outputs.map(({ name, at, length }) => [name, floats.slice(at / 4, at / 4 + length)]),
      )
    },
  }
}
