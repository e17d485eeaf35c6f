// A Node program that uses every door of the package; prints what it found as JSON.
import { compile, mul, tensor } from 'fovea'
import { convSpec } from 'fovea/conv'
import { datasetOf } from 'fovea/data'
import { createModel, models } from 'fovea/models'
import { loadModel } from 'fovea/nn'
import { digits, rightOnes } from './digits.ts'
import { lenet5, train } from './train.ts'

const samples = digits(320)
const model = lenet5()
const { epochs } = await train(model, samples, 6)
const results = await model.predict(samples.x)
const reloaded = await loadModel(model.toBytes()).predict(samples.x)
const double = compile((x) => mul(x, 2), [[3]])

console.log(
  JSON.stringify({
    losses: epochs.map(({ loss }) => loss),
    right: rightOnes(results, samples),
    same: results.every((value, i) => value === reloaded[i]),
    eager: [...(await mul(tensor([1, 2, 3]), 2).data())],
    compiled: [...(await double([1, 2, 3]))],
    models: Object.keys(models),
    outputShape: createModel('lenet5').outputShape,
    convSpec: typeof convSpec,
    datasetOf: typeof datasetOf,
  }),
)
