import { fail } from '../base/errors.ts'
import * as activations from './activations.ts'
import * as convolutions from './conv-layers.ts'
import { dense } from './dense.ts'
import { freeze } from './freeze.ts'
import type { Layer } from './layer.ts'
import { isLayer } from './layer.ts'
import * as merges from './merge.ts'
import { batchNorm, groupNorm, instanceNorm, layerNorm, localResponseNorm, rescaling } from './normalization.ts'
import { pick } from './options.ts'
import { fold, unfold } from './patches.ts'
import * as pools from './pool-layers.ts'
import * as regularization from './regularization.ts'
import * as resizing from './resize.ts'
import * as shapes from './shape-layers.ts'

const { activationOf: _, ...activationLayers } = activations

/** Every layer's factory by its kind. What the files of layers export and isn't a factory is left out. */
const factories: Record<string, unknown> = {
  ...activationLayers,
  ...convolutions,
  ...merges,
  ...pools,
  ...regularization,
  ...resizing,
  ...shapes,
  batchNorm,
  dense,
  fold,
  freeze,
  groupNorm,
  instanceNorm,
  layerNorm,
  localResponseNorm,
  rescaling,
  unfold,
}

export const layerKinds: readonly string[] = Object.keys(factories)

/** Makes a layer from outside known to `loadModel`: `factory` is given what the layer has as `config`. */
export function registerLayer(kind: string, factory: (...config: never[]) => Layer): void {
  factories[kind] = factory
}

const deepest = 100

function decode(value: unknown, depth: number): unknown {
  if (depth > deepest) fail('loadModel', `the config is nested deeper than ${deepest} levels`, 'Check the file')
  if (Array.isArray(value)) return value.map((entry) => decode(entry, depth + 1))
  if (typeof value !== 'object' || value === null) return value
  const record = value as Record<string, unknown>
  if (typeof record.layer === 'string' && Array.isArray(record.config))
    return makeLayer(record.layer, record.config, depth)
  return Object.fromEntries(Object.entries(record).map(([name, entry]) => [name, decode(entry, depth + 1)]))
}

/** The layer that `layerConfig` described; an unknown kind is an error that lists the known ones. */
export function makeLayer(kind: string, config: readonly unknown[], depth = 0): Layer {
  const factory = pick('loadModel', 'layer', factories, kind) as (...values: unknown[]) => unknown
  const made = factory(...config.map((value) => decode(value, depth + 1)))
  if (!isLayer(made)) fail('loadModel', `layer '${kind}' can't be made of ${JSON.stringify(config)}`, 'Check the file')
  return made
}
