// The graph alone, without a model: what computes it must survive the bundler.
import { mul, tensor } from 'fovea'

console.log(JSON.stringify([...(await mul(tensor([1, 2, 3]), 2).data())]))
