import type { Matrix } from '../shared/fields.ts'
import type { Code } from '../shared/frame.ts'
import type { SlideState } from './state.ts'

const nested = (matrix: Matrix) => `[${matrix.map((row) => `[${row.join(', ')}]`).join(', ')}]`
const turned = (matrix: Matrix): Matrix => [...matrix].reverse().map((row) => [...row].reverse())

export function slideCode(state: SlideState): Code {
  const [rows, columns] = [state.X.length, state.X[0]!.length]
  const K = state.f ? turned(state.K) : state.K
  const [high, wide] = [K.length, K[0]!.length]
  const note = state.f ? ' // turned by half a turn' : ''
  const hash = state.f ? '  # turned by half a turn' : ''
  const options = [state.s > 1 ? `stride: ${state.s}` : '', state.p > 0 ? `padding: ${state.p}` : ''].filter(Boolean)
  const plus = state.b === 0 ? '' : ` + ${state.b}`
  return {
    fovea: `import { ${state.b === 0 ? '' : 'add, '}conv, gradient, sum, tensor, Variable } from 'fovea'

const x = tensor([${state.X.flat().join(', ')}], [1, ${rows}, ${columns}, 1])
const w = new Variable([${K.flat().join(', ')}], [${high}, ${wide}, 1, 1])${note}
const y = ${state.b === 0 ? '' : 'add('}conv(x, w.value${options.length > 0 ? `, { ${options.join(', ')} }` : ''})${state.b === 0 ? '' : `, ${state.b})`}
console.log(await y.data())
const [dx, dw] = gradient(sum(y), [x, w.value]) // from every output
console.log(await dx.data(), await dw.data())`,
    pytorch: `import torch
import torch.nn.functional as F

x = torch.tensor(${nested(state.X)}, dtype=torch.float32).view(1, 1, ${rows}, ${columns}).requires_grad_()
w = torch.tensor(${nested(K)}, dtype=torch.float32).view(1, 1, ${high}, ${wide}).requires_grad_()${hash}
y = F.conv2d(x, w, stride=${state.s}, padding=${state.p})${plus}
print(y)
y.sum().backward()  # from every output
print(x.grad, w.grad)`,
    keras: `import numpy as np
from keras import ops

x = np.array(${nested(state.X)}, dtype='float32').reshape(1, ${rows}, ${columns}, 1)
w = np.array(${nested(K)}, dtype='float32').reshape(${high}, ${wide}, 1, 1)${hash}
${state.p > 0 ? `x = np.pad(x, ((0, 0), (${state.p}, ${state.p}), (${state.p}, ${state.p}), (0, 0)))\n` : ''}y = ops.conv(x, w, strides=${state.s}, padding='valid')${plus}
print(y)`,
  }
}
