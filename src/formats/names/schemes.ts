// Names that other libraries give to the weights of published networks: a layer's name for each of ours, in our order.

/** A layer elsewhere that holds the weights of one of ours. */
export interface Foreign {
  readonly layer: string
  /** Its kernel, where it isn't called as usual. */
  readonly kernel?: string
}

export interface Scheme {
  /** How weights lie: PyTorch has output channels first. */
  readonly family: 'torch' | 'keras'
  /** Of batch normalisation. */
  readonly eps: number
  readonly layers: readonly Foreign[]
}

const plain = (...names: readonly string[]): Foreign[] => names.map((layer) => ({ layer }))
const range = (count: number, from = 0) => Array.from({ length: count }, (_, i) => i + from)

const alexnetTorch = (): Scheme => ({
  family: 'torch',
  eps: 1e-5,
  layers: plain(...[0, 3, 6, 8, 10].map((i) => `features.${i}`), ...[1, 4, 6].map((i) => `classifier.${i}`)),
})

const depthwise = (layer: string): Foreign => ({ layer, kernel: 'depthwise_kernel' })

/** 13 blocks of depthwise and pointwise convolutions. */
const mobilenetKeras = (): Scheme => ({
  family: 'keras',
  eps: 1e-3,
  layers: [
    ...plain('conv1', 'conv1_bn'),
    ...range(13, 1).flatMap((i) => [
      depthwise(`conv_dw_${i}`),
      ...plain(`conv_dw_${i}_bn`, `conv_pw_${i}`, `conv_pw_${i}_bn`),
    ]),
    ...plain('conv_preds'),
  ],
})

/** timm's stages of one size each. */
const mobilenetTimm = (): Scheme => ({
  family: 'torch',
  eps: 1e-5,
  layers: plain(
    'conv_stem',
    'bn1',
    ...[1, 2, 2, 6, 2].flatMap((count, stage) =>
      range(count).flatMap((i) => ['conv_dw', 'bn1', 'conv_pw', 'bn2'].map((name) => `blocks.${stage}.${i}.${name}`)),
    ),
    'classifier',
  ),
})

/** 17 inverted residuals, the first without expansion. */
const mobilenetV2Torchvision = (): Scheme => {
  const first = ['conv.0.0', 'conv.0.1', 'conv.1', 'conv.2']
  const others = ['conv.0.0', 'conv.0.1', 'conv.1.0', 'conv.1.1', 'conv.2', 'conv.3']
  const blocks = range(17, 1).flatMap((i) => (i === 1 ? first : others).map((name) => `features.${i}.${name}`))
  const layers = plain('features.0.0', 'features.0.1', ...blocks, 'features.18.0', 'features.18.1', 'classifier.1')
  return { family: 'torch', eps: 1e-5, layers }
}

const mobilenetV2Timm = (): Scheme => {
  const first = ['conv_dw', 'bn1', 'conv_pw', 'bn2'].map((name) => `blocks.0.0.${name}`)
  const others = ['conv_pw', 'bn1', 'conv_dw', 'bn2', 'conv_pwl', 'bn3']
  const blocks = [2, 3, 4, 3, 3, 1].flatMap((count, stage) =>
    range(count).flatMap((i) => others.map((name) => `blocks.${stage + 1}.${i}.${name}`)),
  )
  const layers = plain('conv_stem', 'bn1', ...first, ...blocks, 'conv_head', 'bn2', 'classifier')
  return { family: 'torch', eps: 1e-5, layers }
}

const mobilenetV2Keras = (): Scheme => {
  const block = (name: string, expands: boolean): Foreign[] => [
    ...(expands ? plain(`${name}_expand`, `${name}_expand_BN`) : []),
    depthwise(`${name}_depthwise`),
    ...plain(`${name}_depthwise_BN`, `${name}_project`, `${name}_project_BN`),
  ]
  const blocks = range(16, 1).flatMap((i) => block(`block_${i}`, true))
  const ends = plain('Conv_1', 'Conv_1_bn', 'predictions')
  const layers = [...plain('Conv1', 'bn_Conv1'), ...block('expanded_conv', false), ...blocks, ...ends]
  return { family: 'keras', eps: 1e-3, layers }
}

const xceptionKeras = (): Scheme => {
  const separable = (layer: string): Foreign[] => [
    depthwise(layer),
    { layer, kernel: 'pointwise_kernel' },
    { layer: `${layer}_bn` },
  ]
  const two = (block: number) => [1, 2].flatMap((i) => separable(`block${block}_sepconv${i}`))
  const shortcut = (i: number) => plain(...['conv2d', 'batch_normalization'].map((name) => (i ? `${name}_${i}` : name)))
  const middle = range(8, 5).flatMap((block) => [1, 2, 3].flatMap((i) => separable(`block${block}_sepconv${i}`)))
  const stem = plain('block1_conv1', 'block1_conv1_bn', 'block1_conv2', 'block1_conv2_bn')
  const entry = [2, 3, 4].flatMap((block, i) => [...two(block), ...shortcut(i)])
  const exit = [...two(13), ...shortcut(3), ...two(14)]
  return { family: 'keras', eps: 1e-3, layers: [...stem, ...entry, ...middle, ...exit, ...plain('predictions')] }
}

/** timm's legacy_xception; `start`: the block begins with its convolution, not with relu. */
const xceptionTimm = (): Scheme => {
  const separable = (block: string, places: readonly number[]) =>
    places.flatMap((i) => [`${block}.rep.${i}.conv1`, `${block}.rep.${i}.pointwise`, `${block}.rep.${i + 1}`])
  const down = (block: string, places: readonly number[]) => [
    ...separable(block, places),
    `${block}.skip`,
    `${block}.skipbn`,
  ]
  const middle = range(8, 4).flatMap((i) => separable(`block${i}`, [1, 4, 7]))
  const entry = [...down('block1', [0, 3]), ...down('block2', [1, 4]), ...down('block3', [1, 4])]
  const exit = [
    ...down('block12', [1, 4]),
    ...['conv3', 'conv4'].flatMap((c) => [`${c}.conv1`, `${c}.pointwise`, `bn${c[4]}`]),
  ]
  const layers = plain('conv1', 'bn1', 'conv2', 'bn2', ...entry, ...middle, ...exit, 'fc')
  return { family: 'torch', eps: 1e-5, layers }
}

/** Names of libraries by network: how `fovea convert --names` knows them. */
export const schemes: Readonly<Record<string, Readonly<Record<string, () => Scheme>>>> = {
  'alexnet-single': { torchvision: alexnetTorch },
  mobilenet: { timm: mobilenetTimm, keras: mobilenetKeras },
  'mobilenet-v2': { torchvision: mobilenetV2Torchvision, timm: mobilenetV2Timm, keras: mobilenetV2Keras },
  xception: { timm: xceptionTimm, keras: xceptionKeras },
}
