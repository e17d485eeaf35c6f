export * from './keras/index.ts'
export * from './names/index.ts'
export { onnxOperations } from './onnx/build.ts'
export type { ElementType, Fixed } from './onnx/elements.ts'
export type { Dimension, OnnxGraph, OnnxNode, Port } from './onnx/graph.ts'
export { type OnnxLayerOptions, onnxLayer, type PixelOptions, registerOnnxLayer } from './onnx/layer.ts'
export {
  type LoadOnnxOptions,
  loadOnnx,
  type OnnxInput,
  OnnxModel,
  type OnnxPlan,
  type OnnxTensor,
  type RunOnnxOptions,
} from './onnx/model.ts'
export { type CalibrationBatch, type QuantizeOptions, quantize } from './onnx/quantize.ts'
export { type SaveOnnxOptions, saveOnnx, saveOnnxFile } from './onnx/save.ts'
export { readOnnxTensor } from './onnx/tensor-file.ts'
export * from './tfjs/index.ts'
