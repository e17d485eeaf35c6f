import type { NetworkName } from './protocol.ts'

export const networkNames: Record<NetworkName, string> = {
  small: 'two layers of 5×5 kernels',
  lenet5: 'LeNet-5, with rectifiers',
  one: 'one layer of 9×9 kernels',
  strided: 'strides in place of pooling',
  dense: 'no convolution: one weight per pixel',
}
