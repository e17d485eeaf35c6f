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
export type { Batch, DataSource, TrainingData } from './batches.ts'
export { input } from './build.ts'
export { type Callback, epochLine, epochLog, type FitPlan, type StepProgress } from './callbacks.ts'
export type { CheckpointOptions } from './checkpoint.ts'
export { clipByGlobalNorm, clipByValue, globalNorm } from './clipping.ts'
export type { LayerConfig, ModelConfig, NodeConfig } from './config.ts'
export * from './conv-layers.ts'
export { cut } from './cut.ts'
export { dense } from './dense.ts'
export { type EvaluateOptions, type Evaluation, evaluate } from './evaluate.ts'
export { type ExplainOptions, type Explanation, explain, type LayerExplanation, type LayerPlan } from './explain.ts'
export { type PrintOptions, printExplanation } from './explain-text.ts'
export { fit } from './fit.ts'
export type { FitOptions } from './fit-options.ts'
export { freeze } from './freeze.ts'
export { type GridSampleOptions, gridSample } from './grid-sample.ts'
export type { EarlyStoppingOptions, EpochRecord, History, MetricValue, MonitorOptions } from './history.ts'
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
export { type CrossEntropyOptions, type LossFunction, type LossOptions, softmaxCrossEntropy } from './loss.ts'
export {
  type BinaryCrossEntropyOptions,
  binaryCrossEntropyWithLogits,
  type HuberOptions,
  huber,
  type LossName,
  meanAbsoluteError,
  meanSquaredError,
  type SmoothL1Options,
  smoothL1,
} from './losses.ts'
export * from './merge.ts'
export { accuracy, type ClassMetricOptions, type Metric } from './metric.ts'
export { binaryAccuracy, confusionMatrix, type MetricName, topK } from './metrics.ts'
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
  rescaling,
} from './normalization.ts'
export type { Optimizer, OptimizerConfig, OptimizerState } from './optimizer.ts'
export {
  type AdadeltaOptions,
  type AdagradOptions,
  type AdamaxOptions,
  type AdamOptions,
  adadelta,
  adagrad,
  adam,
  adamax,
  adamW,
  type NadamOptions,
  nadam,
  type OptimizerName,
  type RadamOptions,
  type RmsPropOptions,
  radam,
  rmsProp,
  type SgdOptions,
  sgd,
} from './optimizers.ts'
export * from './patches.ts'
export * from './pool-layers.ts'
export type { Fields } from './receptive.ts'
export { registerLayer } from './registry.ts'
export * from './regularization.ts'
export * from './resize.ts'
export { readSafetensors, type SafeFile, type SafeTensor } from './safetensors.ts'
export {
  constantRate,
  cosineDecay,
  exponentialDecay,
  multiStepDecay,
  polynomialDecay,
  reduceOnPlateau,
  type Schedule,
  type ScheduleConfig,
  type ScheduleName,
  stepDecay,
  warmUp,
} from './schedules.ts'
export * from './shape-layers.ts'
export { type SummaryRow, summaryRows } from './summary.ts'
export type { ClipOptions, MeasureOptions, Trainable } from './training.ts'
/** Shape rules of the layers as types: for layers of one's own whose shapes the editor knows. */
export type * as rules from './types/index.ts'
export { writeSafetensors } from './write-safetensors.ts'
