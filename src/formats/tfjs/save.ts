import type { Model } from '../../nn/index.ts'
import { writeFileAtomic } from '../../runtime/files.ts'
import { layerWrites } from '../keras/write-rest.ts'
import { type Value, type WrittenLayer, type WrittenModel, writeLayers } from '../keras/writer.ts'
import { joined } from './files.ts'

/** Bytes of one file of weights: what browsers keep in their caches. */
const shardBytes = 4 * 2 ** 20

const reference = ({ layer, node }: Value) => [layer, node, 0, {}]

function layerJson({ name, className, config, uses, shape }: WrittenLayer) {
  const input = className === 'InputLayer' ? { batch_input_shape: [null, ...shape], dtype: 'float32' } : {}
  const inbound = uses.map((values) => values.map(reference))
  return { class_name: className, config: { name, ...input, ...config }, name, inbound_nodes: inbound }
}

function topologyOf({ name, inputs, layers, output }: WrittenModel) {
  const config = {
    name,
    layers: layers.map(layerJson),
    input_layers: inputs.map((input) => [input, 0, 0]),
    output_layers: [[output.layer, output.node, 0]],
  }
  return { keras_version: '2.15.0', backend: 'tensor_flow.js', model_config: { class_name: 'Functional', config } }
}

/**
 * A model as a tfjs layers model, files by name: 'model.json' and its weights in pieces of 4 MB. What tfjs has no layer
 * for is an error that names all such layers; tfjs's `loadLayersModel` reads the files.
 */
export function saveLayersModel(model: Model): Record<string, Uint8Array<ArrayBuffer>> {
  const written = writeLayers('saveLayersModel', 'tfjs', model, layerWrites)
  const weights = written.layers.flatMap((layer) =>
    layer.weights.map(([name, value]) => ({ name: `${layer.name}/${name}`, ...value })),
  )
  const bytes = joined(weights.map(({ data }) => littleEndian(data))) as Uint8Array<ArrayBuffer>
  const count = Math.ceil(bytes.length / shardBytes)
  const files: Record<string, Uint8Array<ArrayBuffer>> = {}
  for (let i = 0; i < count; i++)
    files[`group1-shard${i + 1}of${count}.bin`] = bytes.slice(i * shardBytes, (i + 1) * shardBytes)
  const manifest = {
    paths: Object.keys(files),
    weights: weights.map(({ name, shape }) => ({ name, shape, dtype: 'float32' })),
  }
  const text = JSON.stringify({
    format: 'layers-model',
    generatedBy: 'fovea',
    convertedBy: null,
    modelTopology: topologyOf(written),
    weightsManifest: [manifest],
  })
  return { ...files, 'model.json': new TextEncoder().encode(text) }
}

function littleEndian(data: Float32Array): Uint8Array {
  const bytes = new Uint8Array(4 * data.length)
  const view = new DataView(bytes.buffer)
  data.forEach((value, i) => {
    view.setFloat32(4 * i, value, true)
  })
  return bytes
}

/** Writes `saveLayersModel` into a folder, model.json last, no file ever half. Node only. */
export async function saveLayersModelFiles(model: Model, folder: string): Promise<void> {
  const { mkdir } = process.getBuiltinModule('node:fs/promises')
  const { join } = process.getBuiltinModule('node:path')
  await mkdir(folder, { recursive: true })
  for (const [name, bytes] of Object.entries(saveLayersModel(model))) await writeFileAtomic(join(folder, name), bytes)
}
