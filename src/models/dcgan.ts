// A. Radford, L. Metz, S. Chintala, "Unsupervised representation learning with deep convolutional generative
// adversarial networks", 2016, made small for 28x28; the game: Goodfellow et al., "Generative adversarial nets", 2014.
import { compile } from '../compile.ts'
import { gradient } from '../graph/gradient.ts'
import { add } from '../graph/map.ts'
import { mean } from '../graph/reduce.ts'
import { fill, tensor, update } from '../graph/tensor.ts'
import { sigmoid } from '../nn/activations.ts'
import {
  adam,
  batchNorm,
  binaryCrossEntropyWithLogits,
  conv2d,
  convTranspose2d,
  dense,
  flatten,
  type Initializer,
  type Layer,
  leakyRelu,
  type Model,
  relu,
  reshape,
  sequential,
  tanh,
} from '../nn/index.ts'

export interface DcganOptions {
  /** Kernels of the layer next to the picture; the one behind it has twice as many. Default 32. */
  readonly width?: number
  /** Default 1. */
  readonly seed?: number
}

/** Numbers from -1 to 1 that a picture is made of. */
export const latent = 64
/** Section 4: weights from a normal distribution of deviation 0.02. */
const small: Initializer = { name: 'normal', mean: 0, deviation: 0.02 }
const plain = { kernelInitializer: small, bias: false } as const

/**
 * The generator: [N, 64] to [N, 28, 28, 1], -1 to 1. Figure 1's plan: a dense layer, then transposed convolutions of
 * stride 2 with batch normalisation and relu, tanh at the end. Their kernels are 4x4, not the paper's 5x5: a size that
 * the stride divides touches every pixel equally often, so there is no checkerboard.
 */
export function generator({ width = 32, seed = 1 }: DcganOptions = {}): Model {
  const up = (filters: number, options: { bias: boolean }) =>
    convTranspose2d(filters, 4, { stride: 2, padding: 1, kernelInitializer: small, ...options })
  const layers: Layer[] = [
    dense(7 * 7 * 2 * width, plain),
    reshape([7, 7, 2 * width]),
    batchNorm(),
    relu(),
    up(width, { bias: false }),
    batchNorm(),
    relu(),
    up(1, { bias: true }),
    tanh(),
  ]
  return sequential([latent], layers, { seed, name: 'dcgan-generator' })
}

/**
 * The generator as published (figure 1): 100 numbers to 64x64x3 by kernels of 5x5, 1024 to 128 channels. 18,855,043
 * parameters.
 */
export function generator64({
  width = 1024,
  kernelInitializer = small,
  seed = 1,
}: {
  /** Channels of its first map, 4x4: a multiple of 8. */
  readonly width?: number
  readonly kernelInitializer?: Initializer
  readonly seed?: number
} = {}): Model {
  const weights = { kernelInitializer, bias: false } as const
  const up = (filters: number, bias = false) =>
    convTranspose2d(filters, 5, { stride: 2, padding: 2, outputPadding: 1, ...weights, bias })
  const layers: Layer[] = [
    ...[dense(4 * 4 * width, weights), reshape([4, 4, width]), batchNorm(), relu()],
    ...[width / 2, width / 4, width / 8].flatMap((filters) => [up(filters), batchNorm(), relu()]),
    ...[up(3, true), tanh()],
  ]
  return sequential([100], layers, { seed, name: 'dcgan-generator-64' })
}

/** The discriminator: convolutions of stride 2, leaky rectifiers of slope 0.2, one number > 0 for "real". */
export function discriminator({ width = 32, seed = 1 }: DcganOptions = {}): Model {
  const down = { stride: 2, padding: 1, kernelInitializer: small } as const
  const layers: Layer[] = [
    conv2d(width, 4, down),
    leakyRelu(0.2),
    conv2d(2 * width, 4, { ...down, bias: false }),
    batchNorm(),
    leakyRelu(0.2),
    flatten(),
    dense(1, { kernelInitializer: small }),
  ]
  return sequential([28, 28, 1], layers, { seed: seed + 1, name: 'dcgan-discriminator' })
}

/** How sure the discriminator is that pictures are real, 0 to 1. */
export interface Verdict {
  readonly ofReal: number
  readonly ofMade: number
}

/**
 * A step of both networks at once, by Adam with the paper's rate 0.0002 and beta_1 = 0.5: the discriminator learns to
 * tell real pictures from made ones (real ones count as 0.9: Salimans et al. 2016), the generator to be taken for real.
 * @returns a function of real pictures [batch, 28, 28, 1], -1 to 1, and numbers [batch, 64]
 */
export function adversary(g: Model, d: Model, batch: number) {
  const rate = { learningRate: 0.0002, betas: [0.5, 0.999] } as const
  const [stateG, stateD] = [adam(rate).create(g.parameters), adam(rate).create(d.parameters)]
  const valuesOf = (model: Model) => model.parameters.map((parameter) => parameter.value)
  const loss = binaryCrossEntropyWithLogits
  const program = compile(
    (real, z) => {
      const [runG, runD] = [g.context(true), d.context(true)]
      const made = d.apply(g.apply(z, runG), runD)
      const given = d.apply(real, runD)
      const told = add(loss(given, fill(given.shape, 0.9)), loss(made, fill(made.shape, 0)))
      const taken = loss(made, fill(made.shape, 1))
      const chance = [g, d].map(({ rng }) => update(rng, add(rng.value, tensor([0, 1]))))
      const updates = [
        ...stateG.update(gradient(taken, valuesOf(g))),
        ...stateD.update(gradient(told, valuesOf(d))),
        ...runG.updates,
        ...runD.updates,
        ...chance,
      ]
      return { ofReal: mean(sigmoid(given)), ofMade: mean(sigmoid(made)), updates }
    },
    [
      [batch, 28, 28, 1],
      [batch, latent],
    ],
  )
  return async (real: ArrayLike<number>, z: ArrayLike<number>): Promise<Verdict> => {
    const { ofReal, ofMade } = await program(real, z)
    return { ofReal: ofReal[0]!, ofMade: ofMade[0]! }
  }
}
