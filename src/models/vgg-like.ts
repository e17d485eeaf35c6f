import { conv2d, dense, flatten, type Model, maxPool2d, sequential } from '../nn/index.ts'
import type { ZooOptions } from './options.ts'

/** Two stages of VGG (Simonyan & Zisserman 2015) for small images: pairs of 3x3 convolutions of 32 and 64 channels. */
export function vggLike({ classes = 10, seed = 1, inputShape = [32, 32, 3] }: ZooOptions = {}): Model {
  const stage = (filters: number) => {
    const conv = () => conv2d(filters, 3, { padding: 'same', activation: 'relu', kernelInitializer: 'heNormal' })
    return [conv(), conv(), maxPool2d(2)]
  }
  const layers = [...stage(32), ...stage(64), flatten()]
  const head = [dense(128, { activation: 'relu', kernelInitializer: 'heNormal' }), dense(classes)]
  return sequential(inputShape, [...layers, ...head], { seed, name: 'vgg-like' })
}
