// Layers of Keras without weights.
import { sizeOf } from '../../base/shape.ts'
import * as nn from '../../nn/index.ts'
import { mostElements } from '../limits.ts'
import type { Entries } from '../record.ts'
import { activationPieces, checkChannelsLast, compact, type Piece, type Read } from './pieces.ts'

const one = (layer: nn.Layer): readonly Piece[] => [{ layer }]
const nothing: Read = () => []

/** Largest window of a pooling: its elements are counted one by one. */
const mostWindow = 2 ** 14

const pool =
  (rank: 1 | 2 | 3, kind: 'max' | 'average'): Read =>
  ({ config }) => {
    checkChannelsLast(config)
    const size = config.counts('pool_size', rank, 2)
    if (size.some((n) => n > mostWindow)) config.fail(`a window of ${size}`, `Use ${mostWindow} at most`)
    const stride = config.has('strides') ? config.counts('strides', rank) : size
    const padding = config.text('padding', 'valid')
    if (padding !== 'valid' && padding !== 'same') config.fail(`padding '${padding}' is unknown`)
    const max = [nn.maxPool1d, nn.maxPool2d, nn.maxPool3d]
    const average = [nn.averagePool1d, nn.averagePool2d, nn.averagePool3d]
    const factory = (kind === 'max' ? max : average)[rank - 1]
    const options = {
      ...(stride.every((n, i) => n === size[i]) ? {} : { stride: compact(stride) }),
      ...(padding === 'same' ? { padding: 'same' as const } : {}),
    }
    return one(Object.keys(options).length > 0 ? factory(compact(size), options) : factory(compact(size)))
  }

const globalPool =
  (factory: typeof nn.globalAveragePool): Read =>
  ({ config }) => {
    checkChannelsLast(config)
    const keepAxes = config.flag('keepdims', config.flag('keep_dims', false))
    return one(keepAxes ? factory({ keepAxes }) : factory())
  }

/** Pairs [low, high] for each axis of an entry that may be a number, a number per axis or a pair per axis. */
function pairsOf(config: Entries, name: string, rank: number): [number, number][] {
  const value = config.value(name) ?? 1
  const isCount = (n: unknown): n is number => Number.isSafeInteger(n) && (n as number) >= 0
  const isPair = (list: unknown): list is [number, number] =>
    Array.isArray(list) && list.length === 2 && list.every(isCount)
  if (isCount(value)) return new Array<[number, number]>(rank).fill([value, value])
  if (rank === 1 && isPair(value)) return [value]
  if (!Array.isArray(value) || value.length !== rank) return config.fail(`'${name}' isn't one entry for each axis`)
  return value.map((entry) => {
    if (isCount(entry)) return [entry, entry]
    return isPair(entry) ? entry : config.fail(`'${name}' isn't made of whole numbers`)
  })
}

type Pairs = readonly (readonly [number, number])[]
const zeroPads = [nn.zeroPad1d, nn.zeroPad2d, nn.zeroPad3d] as readonly unknown[] as readonly ((
  pairs: Pairs,
) => nn.Layer)[]

const pad =
  (rank: 1 | 2 | 3): Read =>
  ({ config }) => {
    checkChannelsLast(config)
    return one(zeroPads[rank - 1](pairsOf(config, 'padding', rank)))
  }

/** Cropping is padding by less than nothing. */
const crop =
  (rank: 1 | 2 | 3): Read =>
  ({ config }) => {
    checkChannelsLast(config)
    const pairs = pairsOf(config, 'cropping', rank)
    return one(zeroPads[rank - 1](pairs.map(([low, high]): [number, number] => [0 - low, 0 - high])))
  }

function interpolation(config: Entries): { mode: 'linear' } | undefined {
  const name = config.text('interpolation', 'nearest')
  if (name === 'nearest') return undefined
  return name === 'bilinear' ? { mode: 'linear' } : config.fail(`interpolation '${name}'`, 'Use nearest or bilinear')
}

const upSampling =
  (rank: 1 | 2 | 3): Read =>
  ({ config, shapes }) => {
    checkChannelsLast(config)
    const factors = config.counts('size', rank, 2)
    if (sizeOf(shapes[0]) * sizeOf(factors) > mostElements) config.fail(`factors ${factors} of [${shapes[0]}]`)
    const mode = interpolation(config)
    const factor = compact(factors)
    return one(mode ? nn.upsampling(factor, mode) : nn.upsampling(factor))
  }

const resizing: Read = ({ config, shapes }) => {
  checkChannelsLast(config)
  const size = [config.count('height'), config.count('width')]
  if (sizeOf(size) * shapes[0].at(-1)! > mostElements) config.fail(`size ${size}`)
  if (config.flag('crop_to_aspect_ratio', false)) config.fail('crop_to_aspect_ratio')
  const mode = config.text('interpolation', 'bilinear')
  if (mode === 'bilinear') return one(nn.resize(size, { mode: 'linear' }))
  return mode === 'nearest' ? one(nn.resize(size, { mode: 'nearestExact' })) : config.fail(`interpolation '${mode}'`)
}

const relu: Read = ({ config }) => {
  const [most, slope] = [config.value('max_value'), config.number('negative_slope', config.number('alpha', 0))]
  if (config.number('threshold', 0) !== 0) config.fail('it has a threshold')
  if (most === undefined && slope === 0) return one(nn.relu())
  if (most === undefined) return one(nn.leakyRelu(slope))
  return most === 6 && slope === 0 ? one(nn.relu6()) : config.fail(`max_value ${most} and negative_slope ${slope}`)
}

const leakyRelu: Read = ({ config }) => one(nn.leakyRelu(config.number('alpha', config.number('negative_slope', 0.3))))

const softmax: Read = ({ config }) => {
  const value = config.value('axis') ?? -1
  const axis = Array.isArray(value) && value.length === 1 ? value[0] : value
  if (!Number.isInteger(axis)) config.fail(`axis ${JSON.stringify(value)}`, 'Use one axis')
  return one(axis === -1 ? nn.softmax() : nn.softmax(axis as number))
}

const reshape: Read = ({ config }) => {
  const shape = config.list('target_shape')
  const isSize = (n: unknown): n is number => Number.isSafeInteger(n) && ((n as number) >= 1 || n === -1)
  return shape.every(isSize) ? one(nn.reshape(shape)) : config.fail(`target_shape ${JSON.stringify(shape)}`)
}

const concatenate: Read = ({ config }) => {
  const axis = config.number('axis', -1)
  return one(axis === -1 ? nn.concatenate() : nn.concatenate(axis))
}

const rescaling: Read = ({ config }) => {
  const offset = config.number('offset', 0)
  return one(offset === 0 ? nn.rescaling(config.number('scale')) : nn.rescaling(config.number('scale'), offset))
}

export const plainLayers: Readonly<Record<string, Read>> = {
  Activation: activationPieces,
  ActivityRegularization: nothing,
  Add: () => one(nn.add()),
  Average: () => one(nn.average()),
  AveragePooling1D: pool(1, 'average'),
  AveragePooling2D: pool(2, 'average'),
  AveragePooling3D: pool(3, 'average'),
  Concatenate: concatenate,
  Cropping1D: crop(1),
  Cropping2D: crop(2),
  Cropping3D: crop(3),
  Dropout: ({ config }) => one(nn.dropout(config.number('rate'))),
  ELU: ({ config }) => one(nn.elu(config.number('alpha', 1))),
  Flatten: ({ config }) => {
    checkChannelsLast(config)
    return one(nn.flatten())
  },
  GlobalAveragePooling1D: globalPool(nn.globalAveragePool),
  GlobalAveragePooling2D: globalPool(nn.globalAveragePool),
  GlobalAveragePooling3D: globalPool(nn.globalAveragePool),
  GlobalMaxPooling1D: globalPool(nn.globalMaxPool),
  GlobalMaxPooling2D: globalPool(nn.globalMaxPool),
  GlobalMaxPooling3D: globalPool(nn.globalMaxPool),
  Identity: nothing,
  InputLayer: nothing,
  LeakyReLU: leakyRelu,
  MaxPooling1D: pool(1, 'max'),
  MaxPooling2D: pool(2, 'max'),
  MaxPooling3D: pool(3, 'max'),
  Multiply: () => one(nn.multiply()),
  ReLU: relu,
  Rescaling: rescaling,
  Reshape: reshape,
  Resizing: resizing,
  Softmax: softmax,
  SpatialDropout1D: ({ config }) => one(nn.spatialDropout(config.number('rate'))),
  SpatialDropout2D: ({ config }) => one(nn.spatialDropout(config.number('rate'))),
  SpatialDropout3D: ({ config }) => one(nn.spatialDropout(config.number('rate'))),
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
  ZeroPadding1D: pad(1),
  ZeroPadding2D: pad(2),
  ZeroPadding3D: pad(3),
}
