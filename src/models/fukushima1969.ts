// K. Fukushima, "Visual feature extraction by a multilayered network of analog threshold elements", 1969, and its
// sequel of 1970, "A feature extractor for curvilinear patterns". A reconstruction: the abstracts say what each layer
// finds and that all elements of a layer share one set of coefficients; the coefficients here are ours.
import { conv } from '../graph/conv.ts'
import { add, mul, neg, relu, sub } from '../graph/map.ts'
import { concat } from '../graph/pad.ts'
import { maxPool } from '../graph/pool.ts'
import { max, sum } from '../graph/reduce.ts'
import { type Tensor, tensor } from '../graph/tensor.ts'
import { bankOf, differenceOfGaussians, type Kernel, kernelOf, unitNorm, unitSum } from './cells.ts'

/** Lines of 12 orientations, 15 degrees apart; angle t runs along (cos t, sin t), y downwards. */
export const lineAngles = 12
export const lineAngle = (index: number): number => (index * Math.PI) / lineAngles
const all = Array.from({ length: lineAngles }, (_, i) => lineAngle(i))

/** A function of the places along and across a line of angle t. */
const oriented = (size: number, angle: number, value: (along: number, across: number) => number): Kernel => {
  const [c, s] = [Math.cos(angle), Math.sin(angle)]
  return kernelOf(size, (x, y) => value(x * c + y * s, y * c - x * s))
}

const bell = (x: number, deviation: number) => Math.exp(-(x * x) / (2 * deviation * deviation)) / deviation

/** U1: on-centre elements. */
export const contrastKernel = differenceOfGaussians(13, 0.9, 2.2)

/** U2: an elongated excitation, flanked by inhibition; sum 0, length 1. */
export const lineKernels: readonly Kernel[] = all.map((angle) =>
  unitNorm(oriented(15, angle, (along, across) => bell(along, 3.5) * (bell(across, 0.9) - bell(across, 2.2)))),
)

/** U3: five places side by side across the line, by a Gaussian; sum 1. */
const sideways: readonly Kernel[] = all.map((angle) => {
  const near = (distance: number) => Math.max(0, 1 - Math.abs(distance))
  const [dx, dy] = [-Math.sin(angle), Math.cos(angle)]
  const kernel = kernelOf(5, (x, y) =>
    [-2, -1, 0, 1, 2].reduce((total, i) => total + bell(i, 1) * near(x - i * dx) * near(y - i * dy), 0),
  )
  return unitSum(kernel)
})

/** Length of the line that an end needs on its one side, and must not have on its other. */
const endLength = 7
/** Half-width of what counts as the line: 1 on it, 0 at this distance. */
const lineWidth = 2

/** How far lines reach beyond their ends in U3, in pixels: so far the kernels lie behind their element. */
const overshoot = 2

/** U4: +1 along the line on one side, -2 on the other; there in a wedge, so that it doesn't go on a little turned. */
function endKernel(angle: number, sign: number): Kernel {
  return oriented(2 * (endLength + overshoot) + 3, angle, (along, across) => {
    const beyond = sign * along - overshoot
    if (Math.abs(beyond) > endLength || beyond === 0) return 0
    const width = lineWidth + (beyond > 0 ? beyond / 2 : 0)
    const share = Math.min(1, Math.max(0, width - Math.abs(across)) / lineWidth)
    return ((beyond < 0 ? 1 : -2) * share) / (endLength * lineWidth)
  })
}

/** First for the lines that stop ahead, then for those that stop behind. */
const endKernels: readonly Kernel[] = [1, -1].flatMap((sign) => all.map((angle) => endKernel(angle, sign)))

/** How far ahead and behind a bend is looked for, and the radius of the cone of places that are seen there: pixels. */
const [ahead, cone] = [6, 3]

/**
 * 1970, U5: of a line that bends, the part ahead has turned by 15 or 30 degrees and the part behind by as much the
 * other way. Excitation from there, inhibition from the same places for the opposite bend: [k, k, 12, 12].
 */
function bendKernels(): Tensor {
  const size = 2 * (ahead + cone) + 1
  const values = new Float32Array(size * size * lineAngles * lineAngles)
  all.forEach((angle, t) => {
    const [dx, dy] = [ahead * Math.cos(angle), ahead * Math.sin(angle)]
    const seen = (x: number, y: number) => Math.max(0, 1 - Math.hypot(x, y) / cone)
    const after = unitSum(kernelOf(size, (x, y) => seen(x - dx, y - dy)))
    const before = unitSum(kernelOf(size, (x, y) => seen(x + dx, y + dy)))
    for (const turn of [1, 2])
      after.forEach((v, i) => {
        const [left, right] = [(t + turn) % lineAngles, (t + lineAngles - turn) % lineAngles]
        values[(i * lineAngles + left) * lineAngles + t] = v - before[i]!
        values[(i * lineAngles + right) * lineAngles + t] = before[i]! - v
      })
  })
  return tensor(values, [size, size, lineAngles, lineAngles])
}

const same = { padding: 'same' } as const
const perPlane = { ...same, groups: lineAngles } as const

/** Strength of the inhibition among orientations. */
const lateral = 0.7
/** Strength of the inhibition of dots by lines. */
const dotInhibition = 0.6

export interface Features {
  /** U1 [N, H, W, 1]: brightness contrast. */
  readonly contrast: Tensor
  /** U2 [N, H, W, 12]: segments of lines. */
  readonly lines: Tensor
  /** U3 [N, H, W, 12]: the same, tolerant of the exact place. */
  readonly complexLines: Tensor
  /** U4 [N, H, W, 24]: ends of lines of each angle, on one side and on the other. */
  readonly ends: Tensor
  /** U5 [N, H, W, 1]: isolated dots. */
  readonly dots: Tensor
  /** 1970, U5 [N, H, W, 24]: bent lines of each angle, in one direction and in the other. */
  readonly bends: Tensor
  /** 1970, U6 [N, H, W, 1]: curvature, whatever the orientation. */
  readonly curvature: Tensor
}

/** Each plane less a share of the mean of the others. */
function sharpened(planes: Tensor): Tensor {
  const others = sub(sum(planes, [3], { keepAxes: true }), planes)
  return relu(sub(planes, mul(others, lateral / (lineAngles - 1))))
}

const around = (x: Tensor) => maxPool(x, 3, { stride: 1, padding: 'same' })

/** All layers' responses to x [N, H, W, 1]. Every element is phi[sum c(v) u(n + v)] with phi[a] = max(a, 0). */
export function fukushima1969(x: Tensor): Features {
  const contrast = relu(conv(x, bankOf([contrastKernel]), same))
  const lines = relu(conv(contrast, bankOf(lineKernels), same))
  const complexLines = sharpened(conv(lines, bankOf(sideways), perPlane))
  const half = (from: number) => conv(complexLines, bankOf(endKernels.slice(from, from + lineAngles)), perPlane)
  const ends = relu(concat([half(0), half(lineAngles)]))
  const strongest = max(complexLines, [3], { keepAxes: true })
  const dots = relu(sub(around(contrast), mul(around(strongest), dotInhibition)))
  const bend = conv(complexLines, bendKernels(), same)
  const bends = relu(concat([bend, neg(bend)]))
  // one direction inhibits the other: what the planes beside a straight line see on its flanks cancels
  const total = sum(bend, [3], { keepAxes: true })
  const curvature = add(relu(total), relu(neg(total)))
  return { contrast, lines, complexLines, ends, dots, bends, curvature }
}
