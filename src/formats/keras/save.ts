import { zipSync } from 'fflate'
import type { Model } from '../../nn/index.ts'
import { writeFileAtomic } from '../../runtime/files.ts'
import { writeHdf5 } from './hdf5.ts'
import { snake } from './read.ts'
import { layerWrites } from './write-rest.ts'
import { type Value, type WrittenLayer, type WrittenModel, writeLayers } from './writer.ts'

/** The version of Keras whose format is written. */
const version = '3.5.0'

const tensor = ({ layer, node, shape }: Value) => ({
  class_name: '__keras_tensor__',
  config: { shape: [null, ...shape], dtype: 'float32', keras_history: [layer, node, 0] },
})

const merges = ['Add', 'Average', 'Concatenate', 'Multiply']

function layerJson({ name, className, config, uses, shape }: WrittenLayer) {
  const input = className === 'InputLayer' ? { batch_shape: [null, ...shape], dtype: 'float32' } : {}
  const inbound = uses.map((values) => {
    const list = values.map(tensor)
    // a merging layer takes one argument: the list
    return { args: merges.includes(className) ? [list] : list, kwargs: {} }
  })
  return {
    module: 'keras.layers',
    class_name: className,
    config: { name, ...input, ...config },
    registered_name: null,
    name,
    inbound_nodes: inbound,
  }
}

function configOf({ name, inputs, layers, output }: WrittenModel) {
  const config = {
    name,
    trainable: true,
    layers: layers.map(layerJson),
    input_layers: inputs.map((input) => [input, 0, 0]),
    output_layers: [[output.layer, output.node, 0]],
  }
  return { module: 'keras', class_name: 'Functional', config, registered_name: 'Functional' }
}

/** Keras 3 names folders of weights by the class of the layer and a number. */
function* datasetsOf({ layers }: WrittenModel) {
  const counts = new Map<string, number>()
  for (const { className, weights } of layers) {
    const kind = snake(className)
    const count = counts.get(kind) ?? 0
    counts.set(kind, count + 1)
    const folder = count === 0 ? kind : `${kind}_${count}`
    for (const [i, [, value]] of weights.entries()) yield [`layers/${folder}/vars/${i}`, value] as const
  }
}

/**
 * A model as the bytes of a `.keras` archive (Keras 3). What Keras has no layer for is an error that names all such
 * layers. Needs the package h5wasm.
 */
export async function saveKeras(model: Model): Promise<Uint8Array> {
  const written = writeLayers('saveKeras', 'keras', model, layerWrites)
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
  const weights = await writeHdf5('saveKeras', datasetsOf(written))
  const files = {
    'metadata.json': text({
      keras_version: version,
      date_saved: new Date().toISOString().slice(0, 19).replace('T', '@'),
    }),
    'config.json': text(configOf(written)),
    'model.weights.h5': weights,
  }
  return zipSync(files, { level: 0 })
}

/** Writes `saveKeras` to a file, which is never half written. Node only. */
export async function saveKerasFile(model: Model, path: string): Promise<void> {
  await writeFileAtomic(path, await saveKeras(model))
}
