import type { Code } from '../shared/frame.ts'
import { inputOf } from './model.ts'
import type { BordersState } from './state.ts'

const numpy = { zero: 'constant', reflect: 'reflect', symmetric: 'symmetric', replicate: 'edge', circular: 'wrap' }
const torch = { zero: 'constant', reflect: 'reflect', replicate: 'replicate', circular: 'circular' }

export function bordersCode(state: BordersState): Code {
  const { n, p, k, s, pa } = state
  const list = [...inputOf(state)].join(', ')
  const padded = `np.pad(x, ((0, 0), (${p}, ${p}), (${p}, ${p}), (0, 0)), mode='${numpy[pa]}')`
  const plain = pa === 'zero' ? '' : `, paddingMode: '${pa}'`
  return {
    fovea: `import { conv, fill, pad, tensor } from 'fovea'

const x = tensor([${list}], [1, ${n}, ${n}, 1])
const padded = pad(x, [[0, 0], [${p}, ${p}], [${p}, ${p}], [0, 0]], { mode: '${pa}' })
console.log(padded.shape, await padded.data())
const w = fill([${k}, ${k}, 1, 1], 1)
const y = conv(x, w, { stride: ${s}, padding: 'same'${plain} })
console.log(y.shape)`,
    pytorch:
      pa === 'symmetric'
        ? `import numpy as np
import torch

x = np.array([${list}], dtype='float32').reshape(1, 1, ${n}, ${n})
# PyTorch has no 'symmetric': NumPy has
padded = torch.from_numpy(np.pad(x, ((0, 0), (0, 0), (${p}, ${p}), (${p}, ${p})), mode='symmetric'))
print(padded)`
        : `import torch
import torch.nn.functional as F

x = torch.tensor([${list}], dtype=torch.float32).view(1, 1, ${n}, ${n})${limits(state)}
padded = F.pad(x, (${p}, ${p}, ${p}, ${p}), mode='${torch[pa]}')
print(padded)`,
    keras: `import numpy as np

x = np.array([${list}], dtype='float32').reshape(1, ${n}, ${n}, 1)
padded = ${padded}
print(padded[0, :, :, 0])`,
  }
}

/** What PyTorch refuses. */
function limits({ n, p, pa }: BordersState): string {
  if (pa === 'reflect' && p >= n) return `\n# PyTorch refuses this: reflect needs padding <= ${n - 1}`
  if (pa === 'circular' && p > n) return `\n# PyTorch refuses this: circular needs padding <= ${n}`
  return ''
}
