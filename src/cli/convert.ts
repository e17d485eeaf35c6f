import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Command } from 'commander'
import { fail } from '../base/errors.ts'
import {
  fromNames,
  isGraphModel,
  loadKeras,
  loadLayersModel,
  namesOfNetworks,
  type OnnxGraph,
  readGraphModel,
  saveKerasFile,
  saveLayersModelFiles,
  saveOnnxFile,
  schemeIn,
  toNames,
  writeOnnxGraph,
} from '../formats/index.ts'
import { type LargeOptions, models } from '../models/index.ts'
import { loadModel, type Model, readSafetensors, writeSafetensors } from '../nn/index.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { bytesOf, isFolder } from './sources.ts'
import type { Terminal } from './terminal.ts'

export interface ConvertCommand {
  /** One of our networks, whose weights a file has by other names. */
  readonly network?: string
  /** Whose names the weights shall have: torchvision, timm or keras. */
  readonly names?: string
  /** Sizes of a picture where the model leaves them open. */
  readonly shape?: readonly number[]
}

/** A model of ours, or a graph of operations, which has no layers. */
type Loaded = { readonly model: Model } | { readonly graph: OnnxGraph }

/** A network of ours that is only a shape: its weights take no memory. */
function networkOf(name: string | undefined): Model {
  const known = Object.keys(namesOfNetworks)
  if (name === undefined)
    return fail('convert', 'the file has weights but no model', `Say which network: --network ${known.join(', ')}`)
  if (!Object.hasOwn(models, name) || !known.includes(name))
    return fail('convert', `no names are known for the network '${name}'`, `Use one of ${known.join(', ')}`)
  const options: LargeOptions = { kernelInitializer: 'zeros' }
  return models[name]!(options)
}

async function fromSafetensors(path: string, asked: ConvertCommand): Promise<Loaded> {
  const bytes = await bytesOf('convert', path, "Give a model's file")
  const file = readSafetensors(bytes)
  if (file.metadata.has('fovea')) return { model: loadModel(bytes) }
  const network = networkOf(asked.network)
  const floats = [...file.tensors].map(
    ([name, { shape, data }]) => [name, { shape, data: Float32Array.from(data) }] as const,
  )
  const weights = new Map(floats)
  const names = schemeIn(network, asked.network!, weights)
  return { model: fromNames(network, asked.network!, names, weights) }
}

async function fromTfjs(path: string, asked: ConvertCommand): Promise<Loaded> {
  if (await isGraphModel(path)) return { graph: await readGraphModel(path) }
  return { model: await loadLayersModel(path, { inputShape: asked.shape }) }
}

/** Reads whatever `fovea convert` takes. */
async function load(path: string, asked: ConvertCommand): Promise<Loaded> {
  if (isFolder(path)) return load(join(path, 'model.json'), asked)
  if (!existsSync(path)) return fail('convert', `there is no file ${path}`, "Give a model's file")
  if (path.endsWith('.json')) return fromTfjs(path, asked)
  if (/\.(keras|h5|hdf5)$/.test(path)) return { model: await loadKeras(path, { inputShape: asked.shape }) }
  if (path.endsWith('.safetensors')) return fromSafetensors(path, asked)
  if (path.endsWith('.onnx'))
    fail('convert', `${path} is a graph of operations, which has no layers`, 'Other commands take it as it is')
  return fail('convert', `${path} isn't of a known kind`, 'Give model.json, .keras, .h5 or .safetensors')
}

/** Kinds of files that models with layers can be written to. */
async function saveModel(model: Model, path: string, asked: ConvertCommand): Promise<void> {
  if (path.endsWith('.onnx')) return saveOnnxFile(model, path)
  if (path.endsWith('.keras')) return saveKerasFile(model, path)
  if (path.endsWith('.json')) {
    if (!/(^|[/\\])model\.json$/.test(path)) fail('convert', `${path} isn't called model.json`, 'Call it model.json')
    return saveLayersModelFiles(model, dirname(path))
  }
  if (asked.names === undefined) return model.save(path)
  const network = asked.network ?? model.name
  await writeFileAtomic(path, writeSafetensors(toNames(model, network, asked.names)))
}

const kinds = ['.safetensors', '.onnx', '.keras', '.json']

/** `fovea convert`: a model from one format to another. */
export async function convertCommand(
  from: string,
  to: string,
  asked: ConvertCommand,
  terminal: Terminal,
): Promise<number> {
  if (!kinds.some((kind) => to.endsWith(kind)))
    fail('convert', `${to} isn't of a known kind`, 'Give model.json (tfjs), .onnx, .keras or .safetensors')
  if (asked.names !== undefined && !to.endsWith('.safetensors'))
    fail('convert', `--names with ${to}`, 'Names of other libraries are for .safetensors')
  const loaded = await load(from, asked)
  if ('model' in loaded) {
    await saveModel(loaded.model, to, asked)
    terminal.print(`${to}: ${loaded.model.name}, ${loaded.model.countParameters()} parameters`)
    return 0
  }
  if (!to.endsWith('.onnx'))
    fail('convert', `${from} is a graph of operations, which has no layers`, 'Convert it to .onnx')
  await writeFileAtomic(to, writeOnnxGraph(loaded.graph))
  terminal.print(`${to}: ${loaded.graph.nodes.length} nodes`)
  return 0
}

/** Adds `fovea convert` to the command line. */
export function addConvert(
  program: Command,
  terminal: Terminal,
  done: (code: number) => void,
  numbers: (text: string) => number[],
): void {
  const networks = Object.entries(namesOfNetworks).map(([name, list]) => `${name} (${Object.keys(list).join(', ')})`)
  program
    .command('convert')
    .description('A model from one format to another')
    .argument('<in>', 'tfjs model.json, .keras, .h5 or .safetensors')
    .argument('<out>', 'model.json (tfjs), .onnx, .keras or .safetensors')
    .option('--network <name>', `whose weights a .safetensors has by other names: ${networks.join(', ')}`)
    .option('--names <library>', 'write .safetensors by the names of torchvision, timm or keras')
    .option('--shape <numbers>', 'sizes of a sample that the model leaves open: 224,224,3', numbers)
    .addHelpText(
      'after',
      [
        '\nExamples:',
        '  $ fovea convert tfjs/model.json model.safetensors',
        '  $ fovea convert tfjs/model.json model.onnx',
        '  $ fovea convert mobilenet_v2.safetensors own.safetensors --network mobilenet-v2',
        '  $ fovea convert own.safetensors theirs.safetensors --network mobilenet-v2 --names torchvision',
        '',
      ].join('\n'),
    )
    .action(async (from: string, to: string, options: ConvertCommand) =>
      done(await convertCommand(from, to, options, terminal)),
    )
}
