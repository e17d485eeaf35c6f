// Teaches a pretrained network new classes: its first layers stay as they are, a new last layer learns from pictures of
// yours. node examples/fine-tune/fine-tune.mjs MODEL.onnx NODE PICTURES [EPOCHS]; see README.md beside it.
import { imageFolderSplit } from 'fovea/data'
import { loadOnnx, onnxLayer, saveOnnxFile } from 'fovea/formats'
import { dense, freeze, globalAveragePool, sequential } from 'fovea/nn'

const [path, cut, folder, epochs = '8'] = process.argv.slice(2)
if (!path || !cut || !folder) {
  console.log('node fine-tune.mjs MODEL.onnx NODE PICTURES [EPOCHS]')
  process.exit(1)
}

// What the network was trained on: SqueezeNet takes blue first and subtracts the mean of ImageNet.
const pixels = { mean: [104, 117, 123], std: [1], bgr: true }

const pretrained = await loadOnnx(path)
const [, channels, height, width] = (pretrained.inputs[0]?.shape ?? []).map(Number)
const shape = [height, width, channels]
const pictures = await imageFolderSplit(folder, { shape })
const { classes } = pictures.train

const model = sequential(shape, [
  freeze(onnxLayer(pretrained, { cut, pixels })), // without freeze its weights are trained, too
  globalAveragePool(),
  dense(classes.length),
])
console.log(`${model.countParameters()} weights to train, ${pictures.train.length} pictures of ${classes.join(', ')}`)

await model.fit(pictures.train, {
  epochs: Number(epochs),
  batchSize: 8,
  validation: pictures.test,
  optimizer: { name: 'adam', learningRate: 0.001 },
  verbose: true,
})
await model.save('fine-tuned.safetensors')
await saveOnnxFile(model, 'fine-tuned.onnx')
console.log('saved fine-tuned.safetensors and fine-tuned.onnx')
