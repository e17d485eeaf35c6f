import { mkdirSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { fail } from '../base/errors.ts'
import { type Shape, showShape } from '../base/shape.ts'
import type { Port } from '../formats/index.ts'
import { placeholder, type Tensor } from '../graph/tensor.ts'
import type { Model } from '../nn/index.ts'
import { type Standalone, standalone } from '../program/standalone.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { moduleText, typesText } from './build/module.ts'
import { importedLayers, importedModel, isImported } from './imported.ts'
import { trainedModel } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface BuildCommand {
  readonly output: string
  /** Samples at once. Default 1. */
  readonly batch?: number
  /** By name of the input; '' = the only one. */
  readonly shape?: ReadonlyMap<string, Shape>
}

/** Expressions by name. */
interface Graph {
  readonly inputs: ReadonlyMap<string, Tensor>
  readonly outputs: ReadonlyMap<string, Tensor>
}

/** The shape of an input: what the model says, with the batch and what was asked for in the open places. */
function shapeFor({ name, shape }: Port, only: boolean, { batch, shape: asked = new Map() }: BuildCommand): Shape {
  const wanted: Shape | undefined = asked.get(name) ?? (only ? asked.get('') : undefined)
  const said = shape ? `[${shape.join(', ')}]` : 'any shape'
  if (wanted) {
    const fits = !shape || (shape.length === wanted.length && shape.every((n, i) => isOpen(n) || n === wanted[i]))
    return fits ? wanted : fail('build', `--shape ${showShape(wanted)} of '${name}', which takes ${said}`, 'Fit it')
  }
  const sizes = shape?.map((n, axis) => (isOpen(n) && axis === 0 ? (batch ?? 1) : n))
  if (!sizes || sizes.some(isOpen))
    return fail('build', `input '${name}' takes ${said}`, `Give its shape: --shape '${name}=1x3x224x224'`)
  return sizes as number[]
}

const isOpen = (n: number | string): n is string => typeof n === 'string'

async function graphOfImported(path: string, asked: BuildCommand): Promise<Graph> {
  const model = await importedModel(path)
  const names = model.inputs.map(({ name }) => name)
  for (const name of asked.shape?.keys() ?? [])
    if (name === '' ? names.length > 1 : !names.includes(name))
      fail('build', `--shape of ${name === '' ? 'no input by name' : `'${name}'`}`, `Inputs are ${names.join(', ')}`)
  if (asked.batch !== undefined && !model.inputs.some(({ shape }) => isOpen(shape?.[0] ?? 0)))
    fail('build', `--batch ${asked.batch}, but no input has its first axis open`, 'Leave --batch out')
  const inputs = new Map(
    model.inputs.map((port) => [port.name, placeholder(shapeFor(port, names.length === 1, asked))] as const),
  )
  return { inputs, outputs: model.apply(inputs) }
}

function graphOfLayers(model: Model, { batch = 1, shape }: BuildCommand): Graph {
  if (shape) fail('build', `--shape, but the model takes ${model.inputShapes.map(showShape)}`, 'Leave it out')
  const many = model.inputShapes.length > 1
  const inputs = new Map(
    model.inputShapes.map((sizes, i) => [many ? `input${i}` : 'input', placeholder([batch, ...sizes])] as const),
  )
  return { inputs, outputs: new Map([['output', model.apply([...inputs.values()], model.context(false))]]) }
}

async function graphOf(path: string, asked: BuildCommand): Promise<Graph> {
  if (!isImported(path)) return graphOfLayers((await trainedModel('build', path)).model, asked)
  const layers = await importedLayers(path)
  return layers ? graphOfLayers(layers, asked) : graphOfImported(path, asked)
}

const size = (bytes: number) => (bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} KB` : `${(bytes / 1e6).toFixed(1)} MB`)

async function writeBuilt(output: string, built: Standalone, { inputs, outputs }: Graph, terminal: Terminal) {
  const stem = basename(output).replace(/\.m?js$/, '')
  const names = { wasm: `${stem}.wasm`, relaxed: `${stem}.relaxed.wasm`, weights: `${stem}.bin` }
  const shapes = (ports: ReadonlyMap<string, Tensor>) => new Map([...ports].map(([name, { shape }]) => [name, shape]))
  const text = (content: string) => new TextEncoder().encode(content)
  const files = new Map([
    [names.weights, built.weights],
    [names.wasm, built.wasm],
    [names.relaxed, built.relaxed],
    [basename(output).replace(/\.(m?)js$/, '.d.$1ts'), text(typesText(shapes(inputs), shapes(outputs)))],
    [basename(output), text(moduleText(names))],
  ])
  mkdirSync(dirname(output), { recursive: true })
  for (const [name, bytes] of files) {
    await writeFileAtomic(join(dirname(output), name), bytes)
    terminal.print(`${join(dirname(output), name)}: ${size(bytes.length)}`)
  }
  const list = (ports: ReadonlyMap<string, Tensor>) =>
    [...ports].map(([name, { shape }]) => `${name} ${showShape(shape)}`).join(', ')
  terminal.print(`${list(inputs)} -> ${list(outputs)}`)
}

/** `fovea build`: a model as an ES module with its WebAssembly and weights, which needs no library to run. */
export async function buildCommand(path: string, asked: BuildCommand, terminal: Terminal): Promise<number> {
  if (!/^[\w.-]+\.m?js$/.test(basename(asked.output)))
    fail('build', `--output ${asked.output}`, 'Give a name of letters, digits, - and _ that ends with .js or .mjs')
  const graph = await graphOf(path, asked)
  await writeBuilt(asked.output, standalone(graph.inputs, graph.outputs), graph, terminal)
  return 0
}

/** Of `--shape name=1x3x224x224`, given once or more. */
function withShape(text: string, before: ReadonlyMap<string, Shape> = new Map()): ReadonlyMap<string, Shape> {
  const [, name = '', sizes] = /^(?:(.*)=)?(\d+(?:x\d+)*)$/s.exec(text) ?? []
  const shape = sizes?.split('x').map(Number) ?? []
  if (shape.length === 0 || !shape.every((n) => n > 0 && Number.isSafeInteger(n)))
    throw new InvalidArgumentError('Give NAME=1x3x224x224.')
  return new Map(before).set(name, shape)
}

/** Adds `fovea build` to the command line. */
export function addBuild(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
  count: (text: string) => number,
): void {
  program
    .command('build')
    .description('A model as a small ES module with its WebAssembly and weights: a page needs no library to run it')
    .argument('<model>', "an ONNX, tfjs or Keras model, or a trained model's file")
    .requiredOption('-o, --output <model.js>', 'written with .wasm, .relaxed.wasm, .bin and .d.ts beside it')
    .option('-b, --batch <n>', 'samples at once (default: 1)', count)
    .option('--shape <name=sizes>', 'ONNX: shape of an input that the model leaves open; once for each', withShape)
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  $ fovea build squeezenet.onnx -o public/squeezenet.js',
        '  $ fovea build runs/lenet5.safetensors -o lenet5.js --batch 16',
        "  $ fovea build segment.onnx -o segment.js --shape 'image=1x3x256x256'",
        '\nUse:',
        "  import { load } from './lenet5.js'",
        '  const model = await load()',
        '  const { output } = await model.run({ input: pixels })',
        '',
      ].join('\n'),
    )
    .action(async (path: string, options: BuildCommand) => done(await buildCommand(path, options, terminal)))
}
