import {
  batchNorm,
  conv1d,
  dense,
  globalAveragePool,
  type Layer,
  type Model,
  maxPool1d,
  relu,
  sequential,
} from '../nn/index.ts'
import type { ZooOptions } from './options.ts'

export interface AudioOptions extends ZooOptions {
  /** Channels of the first convolution; deeper ones have 2 and 4 times as many. Default 32. */
  readonly width?: number
}

/** A convolution along time, batch normalisation, relu, and the largest of every 4: M5's block (table 1). */
const block = (filters: number, size: number, stride = 1): Layer[] => [
  conv1d(filters, size, { stride, padding: 'same', bias: false, kernelInitializer: 'heNormal' }),
  batchNorm(),
  relu(),
  maxPool1d(4),
]

/**
 * M5 of Dai, Dai, Qu, Li, Das, "Very deep convolutional neural networks for raw waveforms", 2017, made narrow for half
 * a second at 8,000 Hz: a long first kernel (80 samples: 10 ms) that takes the place of a filter bank, then short ones;
 * no dense layer but the last, so that any length goes.
 */
export function audio(options: AudioOptions = {}): Model {
  const { classes = 10, seed = 1, inputShape = [4000, 1], width = 32 } = options
  const layers = [...block(width, 80, 4), ...block(2 * width, 3), ...block(4 * width, 3), ...block(4 * width, 3)]
  return sequential(inputShape, [...layers, globalAveragePool(), dense(classes)], { seed, name: 'audio' })
}

/** M5 as published (table 1): four seconds at 8,000 Hz, 128, 128, 256 and 512 kernels. 558,090 parameters. */
export function m5({ classes = 10, seed = 1, inputShape = [32_000, 1] }: ZooOptions = {}): Model {
  const layers = [...block(128, 80, 4), ...block(128, 3), ...block(256, 3), ...block(512, 3)]
  return sequential(inputShape, [...layers, globalAveragePool(), dense(classes)], { seed, name: 'm5' })
}
