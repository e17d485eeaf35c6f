import type { Code } from '../shared/frame.ts'
import type { NetworkName, OptimizerName } from './protocol.ts'
import type { TrainState } from './state.ts'

type Part = readonly [
  kind: 'conv' | 'pool' | 'flat' | 'dense',
  size: number,
  kernel?: number,
  stride?: number,
  padding?: number,
]

const parts: Record<NetworkName, readonly Part[]> = {
  small: [
    ['conv', 8, 5, 1, 2],
    ['pool', 2],
    ['conv', 16, 5, 1, 0],
    ['pool', 2],
    ['flat', 0],
  ],
  lenet5: [
    ['conv', 6, 5, 1, 2],
    ['pool', 2],
    ['conv', 16, 5, 1, 0],
    ['pool', 2],
    ['flat', 0],
    ['dense', 120],
    ['dense', 84],
  ],
  one: [
    ['conv', 12, 9, 1, 0],
    ['pool', 4],
    ['flat', 0],
  ],
  strided: [
    ['conv', 8, 5, 2, 2],
    ['conv', 16, 3, 2, 1],
    ['flat', 0],
  ],
  dense: [['flat', 0]],
}

const torchLine = ([kind, size, kernel, stride, padding]: Part) =>
  ({
    conv: `    nn.LazyConv2d(${size}, ${kernel}, stride=${stride}, padding=${padding}), nn.ReLU(),`,
    pool: `    nn.MaxPool2d(${size}),`,
    flat: '    nn.Flatten(),',
    dense: `    nn.LazyLinear(${size}), nn.ReLU(),`,
  })[kind]

const kerasLine = ([kind, size, kernel, stride, padding]: Part) => {
  const conv = `layers.Conv2D(${size}, ${kernel}, strides=${stride}, activation="relu"),`
  return {
    conv: padding ? `    layers.ZeroPadding2D(${padding}),\n    ${conv}` : `    ${conv}`,
    pool: `    layers.MaxPooling2D(${size}),`,
    flat: '    layers.Flatten(),',
    dense: `    layers.Dense(${size}, activation="relu"),`,
  }[kind]
}

interface Rule {
  readonly fovea: string
  readonly torch: string
  readonly keras: string
}

const rules: Record<OptimizerName, (lr: number) => Rule> = {
  adam: (lr) => ({
    fovea: `{ name: 'adam', learningRate: ${lr} }`,
    torch: `torch.optim.Adam(model.parameters(), lr=${lr})`,
    keras: `keras.optimizers.Adam(${lr})`,
  }),
  momentum: (lr) => ({
    fovea: `{ name: 'sgd', learningRate: ${lr}, momentum: 0.9 }`,
    torch: `torch.optim.SGD(model.parameters(), lr=${lr}, momentum=0.9)`,
    keras: `keras.optimizers.SGD(${lr}, momentum=0.9)`,
  }),
  sgd: (lr) => ({
    fovea: `{ name: 'sgd', learningRate: ${lr} }`,
    torch: `torch.optim.SGD(model.parameters(), lr=${lr})`,
    keras: `keras.optimizers.SGD(${lr})`,
  }),
}

const indented = (lines: readonly string[]) => lines.join('\n')

/** The training as a program. @param model the network's code in fovea, as the worker says it */
export function codeOf({ data, net, opt, lr, batch, seed }: TrainState, model: string): Code {
  const [classes, size] = data === 'digits' ? [10, 28] : [6, 20]
  const rule = rules[opt](lr)
  const names = [...new Set(model.match(/\b[a-z]\w*(?=\()/g) ?? [])].sort()
  return {
    fovea: `import { ${names.join(', ')} } from 'fovea/nn'

${model}
await model.fit({ x, y }, { batchSize: ${batch}, optimizer: ${rule.fovea} })`,
    pytorch: `import torch
from torch import nn

torch.manual_seed(${seed})
model = nn.Sequential(
${indented(parts[net].map(torchLine))}
    nn.LazyLinear(${classes}),
)
optimizer = ${rule.torch}
for x, y in loader:  # x [${batch}, 1, ${size}, ${size}], y [${batch}]
    loss = nn.functional.cross_entropy(model(x), y)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()`,
    keras: `import keras
from keras import layers

keras.utils.set_random_seed(${seed})
model = keras.Sequential([
    keras.Input((${size}, ${size}, 1)),
${indented(parts[net].map(kerasLine))}
    layers.Dense(${classes}),
])
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(${rule.keras}, loss, metrics=["accuracy"])
model.fit(x, y, batch_size=${batch})`,
  }
}
