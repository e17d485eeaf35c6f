// What TypeScript knows about shapes. Checked by tsc alone: a wrong type, or a line under `@ts-expect-error` that has no
// error, fails `npm run types` (and test/types/shapes.test.ts, which also reads the messages).
import * as nn from '../../src/nn/index.ts'

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false
function same<A, B>(_: Equal<A, B>): void {}

const lenet = nn.sequential(
  [28, 28, 1],
  [
    nn.conv2d(6, 5, { padding: 'same', activation: 'tanh' }),
    nn.averagePool2d(2),
    nn.conv2d(16, 5, { activation: 'tanh' }),
    nn.averagePool2d(2),
    nn.flatten(),
    nn.dense(120, { activation: 'tanh' }),
    nn.dense(10),
  ],
)
same<typeof lenet.outputShape, readonly [10]>(true)
same<typeof lenet.inputShape, readonly [28, 28, 1]>(true)

// every kind of layer
const of = <In extends readonly number[], Out extends readonly number[]>(model: nn.Model<In, Out>): Out =>
  model.outputShape
const conv = of(nn.sequential([224, 224, 3], [nn.conv2d(64, [7, 5], { stride: [2, 1], padding: [3, [1, 2]] })]))
same<typeof conv, readonly [112, 223, 64]>(true)
const transposed = of(nn.sequential([7, 8], [nn.convTranspose1d(4, 4, { stride: 2, padding: 1, outputPadding: 1 })]))
same<typeof transposed, readonly [15, 4]>(true)
const depthwise = of(nn.sequential([9, 9, 8], [nn.depthwiseConv2d(3, { multiplier: 2, padding: 'causal', stride: 2 })]))
same<typeof depthwise, readonly [5, 5, 16]>(true)
const separable = of(nn.sequential([9, 9, 9, 4], [nn.separableConv3d(12, 3, { dilation: 2, padding: 'full' })]))
same<typeof separable, readonly [13, 13, 13, 12]>(true)
const pooled = of(nn.sequential([10, 10, 4], [nn.maxPool2d(3, { stride: 2, ceilMode: true })]))
same<typeof pooled, readonly [5, 5, 4]>(true)
const padded = of(nn.sequential([10, 10, 4], [nn.reflectPad2d([1, [2, 3]])]))
same<typeof padded, readonly [12, 15, 4]>(true)
const global = of(nn.sequential([10, 10, 4], [nn.globalAveragePool({ keepAxes: true })]))
same<typeof global, readonly [1, 1, 4]>(true)
const shuffled = of(nn.sequential([4, 4, 18], [nn.pixelShuffle(3), nn.upsampling(2), nn.resize([5, 7])]))
same<typeof shuffled, readonly [5, 7, 2]>(true)
const reshaped = of(nn.sequential([4, 4, 18], [nn.reshape([-1, 8, 3])]))
same<typeof reshaped, readonly [12, 8, 3]>(true)
const kept = of(
  nn.sequential([4, 6], [nn.relu(), nn.dropout(), nn.batchNorm(), nn.groupNorm(3), nn.layerNorm([4, 6]), nn.prelu()]),
)
same<typeof kept, readonly [4, 6]>(true)
const joined = of(
  nn.sequential(
    [8, 8, 4],
    [
      nn.residual([nn.conv2d(6, 3, { padding: 'same' })], { shortcut: [nn.conv2d(6, 1, { bias: false })] }),
      nn.parallel([[nn.conv2d(5, 1)], [nn.maxPool2d(3, { stride: 1, padding: 1 })], []]),
    ],
  ),
)
same<typeof joined, readonly [8, 8, 17]>(true)

// what isn't literal isn't checked: sizes become number, ranks stay where they are known
declare const size: number
declare const shape: number[]
declare const list: nn.Layer[]
const open = of(nn.sequential(shape, [nn.conv2d(6, 5)]))
same<typeof open, readonly [number, number, 6]>(true)
const half = of(nn.sequential([28, 28, 1], [nn.conv2d(6, size), nn.maxPool2d(2)]))
same<typeof half, readonly [number, number, 6]>(true)
const plain = of(nn.sequential([28, 28, 1], [...list, nn.dense(10)]))
same<typeof plain, readonly number[]>(true)
const stored: nn.Model = lenet
of(stored) satisfies readonly number[]

/** A layer of one's own with a rule: the last axis is halved. */
interface Halved extends nn.rules.ShapeRule {
  readonly after: this['before'] extends readonly [...infer Outer extends number[], infer C extends number]
    ? nn.rules.Remainder<C, 2> extends 0
      ? readonly [...Outer, nn.rules.Quotient<C, 2>]
      : `halved: ${C} channels aren't even. Give an even number`
    : readonly number[]
}
declare const halved: nn.Layer<Halved>
const own = of(nn.sequential([8, 6], [halved]))
same<typeof own, readonly [8, 3]>(true)

export const misfits = [
  // @ts-expect-error conv2d: kernel 5 is larger than the padded input 3
  nn.sequential([7, 7, 1], [nn.conv2d(2, 5), nn.conv2d(2, 5)]),
  // @ts-expect-error conv1d: kernel 3 with dilation 4 is larger than the padded input 8
  nn.sequential([8, 1], [nn.relu(), nn.conv1d(2, 3, { dilation: 4 })]),
  // @ts-expect-error conv2d: 3 groups don't divide 8 channels
  nn.sequential([8, 8, 8], [nn.conv2d(6, 3, { groups: 3 })]),
  // @ts-expect-error conv2d: 4 groups don't divide 6 filters
  nn.sequential([8, 8, 8], [nn.conv2d(6, 3, { groups: 4 })]),
  // @ts-expect-error conv3d: input of shape [8, 8, 8] without N
  nn.sequential([8, 8, 8], [nn.conv3d(6, 3)]),
  // @ts-expect-error dense: units is 0
  nn.sequential([8], [nn.dense(0)]),
  // @ts-expect-error layerNorm: normalizedShape [12] of an input of shape [10]
  nn.sequential([8], [nn.dense(10), nn.layerNorm(12)]),
  // @ts-expect-error reshape: [120] has 120 elements, [7, 7, 3] 147
  nn.sequential([8], [nn.dense(120), nn.reshape([7, 7, 3])]),
  // @ts-expect-error groupNorm: 4 groups don't divide 6 channels
  nn.sequential([8, 6], [nn.groupNorm(4)]),
  // @ts-expect-error residual: layers give [8, 5], the shortcut [8, 6]
  nn.sequential([8, 6], [nn.residual([nn.dense(5)])]),
  // @ts-expect-error maxPool2d: kernel 9 is larger than the padded input 8
  nn.sequential([8, 8, 6], [nn.maxPool2d(9)]),
  // @ts-expect-error convTranspose2d: padding leaves nothing of the output
  nn.sequential([1, 1, 6], [nn.convTranspose2d(1, 2, { padding: 1 })]),
  // @ts-expect-error conv2d: kernelSize has 3 entries for 2 spatial axes
  nn.sequential([8, 8, 6], [nn.conv2d(1, [3, 3, 3])]),
  // @ts-expect-error pixelShuffle: 6 channels aren't a multiple of 4
  nn.sequential([8, 8, 6], [nn.pixelShuffle(2)]),
  // @ts-expect-error halved: 5 channels aren't even
  nn.sequential([8, 5], [halved]),
]
