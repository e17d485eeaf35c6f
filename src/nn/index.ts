export {
  type ActivationName,
  activation,
  elu,
  gelu,
  hardSigmoid,
  hardSwish,
  leakyRelu,
  logSoftmax,
  mish,
  prelu,
  relu,
  relu6,
  selu,
  sigmoid,
  silu,
  softmax,
  softplus,
  softsign,
  tanh,
} from './activations.ts'
export { input } from './build.ts'
export type { LayerConfig, ModelConfig, NodeConfig } from './config.ts'
export * from './conv-layers.ts'
export { dense } from './dense.ts'
export { type GridSampleOptions, gridSample } from './grid-sample.ts'
export type { Initializer, InitializerName } from './initializers.ts'
export {
  type BuildContext,
  type BuiltLayer,
  type Layer,
  layer,
  type Node,
  type RunContext,
  runContext,
} from './layer.ts'
export type { WeightOptions } from './linear.ts'
export { loadModel, loadModelFile } from './load.ts'
export * from './merge.ts'
export {
  functional,
  type Model,
  type ModelOptions,
  type PredictOptions,
  type Step,
  sequential,
} from './model.ts'
export {
  type AffineTensors,
  type BatchNormOptions,
  batchNorm,
  groupNorm,
  instanceNorm,
  type LocalResponseNormOptions,
  layerNorm,
  localResponseNorm,
  moments,
  type NormOptions,
  normalizeBatch,
  normalizeWith,
} from './normalization.ts'
export * from './patches.ts'
export * from './pool-layers.ts'
export type { Fields } from './receptive.ts'
export * from './regularization.ts'
export * from './resize.ts'
export { readSafetensors, type SafeFile, type SafeTensor, writeSafetensors } from './safetensors.ts'
export * from './shape-layers.ts'
export { type SummaryRow, summaryRows } from './summary.ts'
