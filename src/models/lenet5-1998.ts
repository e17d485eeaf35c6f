// Y. LeCun, L. Bottou, Y. Bengio, P. Haffner, "Gradient-based learning applied to document recognition", 1998, section
// II B and figure 2. Every map, table and connection as published; 60,000 trainable parameters, 340,908 connections.

import { fail } from '../base/errors.ts'
import { conv } from '../graph/conv.ts'
import { add, exp, log, mul, neg, sub } from '../graph/map.ts'
import { pad } from '../graph/pad.ts'
import { averagePool } from '../graph/pool.ts'
import { max, mean, sum } from '../graph/reduce.ts'
import { resample } from '../graph/resample.ts'
import { reshape } from '../graph/reshape.ts'
import { oneHot } from '../graph/softmax.ts'
import { tensor } from '../graph/tensor.ts'
import {
  conv2d,
  dense,
  flatten,
  type Initializer,
  type Layer,
  type LossFunction,
  type Model,
  registerLayer,
  rescaling,
  sequential,
  tanh,
} from '../nn/index.ts'
import { unary, weight } from '../nn/layer.ts'
import type { ZooOptions } from './options.ts'

/** Table I: the maps of S2 that each map of C3 sees. */
export const connections: readonly (readonly number[])[] = [
  ...['012', '123', '234', '345', '045', '015'],
  ...['0123', '1234', '2345', '0345', '0145', '0125', '0134', '1245', '0235', '012345'],
].map((maps) => [...maps].map(Number))

/** Weights and biases of units with `fanIn` connections: uniform within 2.4 / fanIn (appendix A). */
const within = (fanIn: number): Initializer => ({ name: 'uniform', low: -2.4 / fanIn, high: 2.4 / fanIn })

/** f(a) = 1.7159 tanh(2a / 3), so that f(1) = 1 and f(-1) = -1 (equation 6). */
export const squash = (): Layer[] => [rescaling(2 / 3), tanh(), rescaling(1.7159)]

/** S2 and S4: the sum of 2x2 values, times a coefficient of the map, plus a bias of the map. */
export const subsampling2d = (): Layer =>
  unary('lenetSubsampling2d', [], ([, , channels], context) => {
    const coefficient = weight(context, 'coefficient', [channels!], within(4))
    const bias = weight(context, 'bias', [channels!], within(4))
    return {
      parameters: [coefficient, bias],
      apply: (x) => add(mul(averagePool(x, 2), mul(coefficient.value, 4)), bias.value),
    }
  })

/**
 * C3: a 5x5 convolution whose output maps see the input maps of a table each. The weight holds the connections that
 * there are, [5, 5, 60], ordered by input map, then output map.
 */
export const tableConv2d = (size: number, table: readonly (readonly number[])[]): Layer =>
  unary('lenetTableConv2d', [size, table], ([, , inputs], context) => {
    const outputs = table.length
    const all = Array.from({ length: inputs! * outputs }, (_, i) => [Math.floor(i / outputs), i % outputs] as const)
    const present = all.filter(([from, to]) => table[to]!.includes(from))
    if (table.flat().length !== present.length)
      fail('tableConv2d', `the table names a map twice, or one beyond the ${inputs}`, 'Name maps 0, 1, ... once each')
    const fanIn = (size * size * present.length) / outputs
    const kernel = weight(context, 'weight', [size, size, present.length], within(fanIn))
    const bias = weight(context, 'bias', [outputs], within(fanIn))
    const place = new Map(present.map(([from, to], i) => [from * outputs + to, i]))
    const rows = all.map((_, i): [number, number][] => (place.has(i) ? [[place.get(i)!, 1]] : []))
    const spread = () => resample(kernel.value, 2, { inputSize: present.length, rows })
    return {
      parameters: [kernel, bias],
      apply: (x) => add(conv(x, reshape(spread(), [size, size, inputs!, outputs])), bias.value),
    }
  })

/** Digits of 7x12, # is +1: our own drawings in place of figure 3, 10 or more places apart. */
const strokes: readonly string[] = [
  '..###.. .#...#. #.....# #.....# #.....# #.....# #.....# #.....# #.....# #.....# .#...#. ..###..',
  '...#... ..##... .#.#... ...#... ...#... ...#... ...#... ...#... ...#... ...#... ...#... .#####.',
  '.#####. #.....# ......# ......# ......# .....#. ....#.. ...#... ..#.... .#..... #...... #######',
  '####### .....#. ....#.. ...#... ..####. .....#. ......# ......# ......# ......# #....#. .####..',
  '.....#. ....##. ...#.#. ..#..#. .#...#. #....#. ####### .....#. .....#. .....#. .....#. .....#.',
  '####### #...... #...... #...... ######. ......# ......# ......# ......# ......# #.....# .#####.',
  '..####. .#..... #...... #...... #...... ######. #.....# #.....# #.....# #.....# #.....# .#####.',
  '####### ......# ......# .....#. .....#. ....#.. ....#.. ...#... ...#... ..#.... ..#.... ..#....',
  '..###.. .#...#. .#...#. .#...#. ..#.#.. ...#... ..#.#.. .#...#. #.....# #.....# .#...#. ..###..',
  '..####. .#....# #.....# #.....# .#....# ..##### .....#. .....#. ....#.. ...#... ..#.... .#.....',
]

/** The parameters of the output units: 10 codes of 84 numbers, +1 or -1. */
export const codes: readonly (readonly number[])[] = strokes.map((rows) =>
  [...rows.replaceAll(' ', '')].map((c) => (c === '#' ? 1 : -1)),
)

/**
 * Output units: minus the squared distance of x [N, 84] to each code [10, 84] (equation 7, negated so that the largest
 * is the class).
 */
export const radialBasis = (centres: readonly (readonly number[])[]): Layer =>
  unary('lenetRadialBasis', [centres], ([features]) => {
    const count = centres.length
    const w = tensor(centres.flat(), [1, count, features!])
    return {
      apply: (x) => {
        const apart = sub(reshape(x, [x.shape[0]!, 1, features!]), w)
        return neg(sum(mul(apart, apart), [2]))
      },
    }
  })

registerLayer('lenetSubsampling2d', subsampling2d)
registerLayer('lenetTableConv2d', tableConv2d)
registerLayer('lenetRadialBasis', radialBasis)

/**
 * The paper's criterion (equation 9): the distance to the right class, plus log(e^-j + sum of e^-distances), where
 * j > 0 is what a rubbish class would have. Training with the usual softmax cross-entropy is the limit of a large j.
 * @param j default 10
 */
export const mapCriterion =
  (j = 10): LossFunction =>
  (prediction, target) => {
    const classes = prediction.shape.at(-1)!
    const hot = target.shape.length === prediction.shape.length ? target : oneHot(target, classes)
    const withRubbish = pad(
      prediction,
      [
        [0, 0],
        [0, 1],
      ],
      { mode: 'constant', value: -j },
    )
    const largest = max(withRubbish, [1], { keepAxes: true })
    const total = add(log(sum(exp(sub(withRubbish, largest)), [1])), reshape(largest, [-1]))
    return mean(sub(total, sum(mul(prediction, hot), [1])))
  }

/** Of 28x28 digits, values 0 to 1, brought to 32x32. At most 10 classes: there are as many codes. */
export function lenet5of1998({ classes = 10, seed = 1, inputShape = [28, 28, 1] }: ZooOptions = {}): Model {
  if (classes > codes.length)
    fail('lenet5-1998', `${classes} classes`, `Give at most ${codes.length}: one for each code`)
  const first = (fanIn: number) => ({ kernelInitializer: within(fanIn), biasInitializer: within(fanIn) })
  const layers = [
    rescaling(1.275, -0.1), // background -0.1, ink 1.175
    conv2d(6, 5, { padding: 2, paddingMode: 'constant', paddingValue: -0.1, ...first(25) }), // C1
    ...squash(),
    subsampling2d(), // S2
    ...squash(),
    tableConv2d(5, connections), // C3
    ...squash(),
    subsampling2d(), // S4
    ...squash(),
    conv2d(120, 5, first(400)), // C5
    ...squash(),
    flatten(),
    dense(84, first(120)), // F6
    ...squash(),
    radialBasis(codes.slice(0, classes)),
  ] as const
  return sequential(inputShape, layers, { seed, name: 'lenet5-1998' })
}
