import { mul, tensor } from 'fovea'
import { datasetOf } from 'fovea/data'
import { digits, rightOnes } from './digits.ts'
import { lenet5, train } from './train.ts'

const samples = digits(320)
const data = datasetOf(samples.x, Int32Array.from(samples.y), [28, 28, 1], [...'0123456789'])
const model = lenet5()
const { epochs } = await train(model, data, 6)
const results = await model.predict(samples.x)

const report = {
  losses: epochs.map(({ loss }) => loss),
  right: rightOnes(results, samples),
  eager: [...(await mul(tensor([1, 2, 3]), 2).data())],
  samples: data.length,
  isolated: globalThis.crossOriginIsolated,
}
document.body.textContent = JSON.stringify(report)
