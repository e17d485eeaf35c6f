import { sizeOf } from '../../src/base/shape.ts'
import { type Contraction, type ConvSpec, inputShape, kernelShape, outputShape } from '../../src/conv/spec.ts'
import { cookToom } from '../../src/plan/cook-toom.ts'
import { roundings } from '../../src/plan/explain.ts'
import { reader } from './tensors.ts'

type Matrix = readonly (readonly number[])[]

const absolute = (matrix: Matrix): number[][] => matrix.map((row) => row.map(Math.abs))

/** left * values * right^T. */
function sandwich(matrix: Matrix, values: Matrix): number[][] {
  const rows = matrix.map((line) => values[0]!.map((_, j) => line.reduce((sum, f, i) => sum + f * values[i]![j]!, 0)))
  return rows.map((row) => matrix.map((line) => line.reduce((sum, f, j) => sum + f * row[j]!, 0)))
}

const square = (size: number, value: (i: number, j: number) => number): number[][] =>
  Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => value(i, j)))

/** The convolution of stride 1 that a contraction is: its operands as functions, zero outside. */
function convolution(contraction: Contraction, spec: ConvSpec, a: ArrayLike<number>, b: ArrayLike<number>) {
  const [k] = spec.kernel as [number]
  const w = reader(b, kernelShape(spec))
  const forwards = contraction === 'output'
  const x = reader(
    a,
    forwards ? [spec.batch, ...spec.input, spec.inChannels] : [spec.batch, ...spec.output, spec.outChannels],
  )
  const low = forwards ? spec.padLow : spec.padLow.map((n) => k - 1 - n)
  const channels = [spec.inChannels / spec.groups, spec.outChannels / spec.groups]
  const [read, made] = (forwards ? channels : channels.reverse()) as [number, number]
  return {
    output: forwards ? spec.output : spec.input,
    inChannels: forwards ? spec.inChannels : spec.outChannels,
    outChannels: forwards ? spec.outChannels : spec.inChannels,
    x: (n: number, row: number, column: number, c: number) => x(n, row - low[0]!, column - low[1]!, c),
    w: (i: number, j: number, c: number, o: number) => {
      if (Math.floor(c / read) !== Math.floor(o / made)) return 0
      return forwards ? w(i, j, c % read, o) : w(k - 1 - i, k - 1 - j, o % made, c)
    },
  }
}

const list = (count: number) => Array.from({ length: count }, (_, i) => i)

/** The same for the gradient of the kernel, whose terms are the tiles of the gradient of the output. */
function gradientBound(
  spec: ConvSpec,
  tile: number,
  { a, b }: { a: ArrayLike<number>; b: ArrayLike<number> },
): Float64Array {
  const t = cookToom(spec.kernel[0]!, tile)
  const [height, width] = spec.output as [number, number]
  const x = reader(a, [spec.batch, ...spec.input, spec.inChannels])
  const g = reader(b, [spec.batch, height, width, spec.outChannels])
  const [input, kernel, output] = [absolute(t.inputTransform), absolute(t.kernelTransform), absolute(t.outputTransform)]
  const sums = list(spec.inChannels).map(() => list(spec.outChannels).map(() => square(t.size, () => 0)))
  let tiles = 0
  for (let n = 0; n < spec.batch; n++)
    for (let top = 0; top < height; top += tile)
      for (let left = 0; left < width; left += tile, tiles++) {
        const [row, column] = [top - spec.padLow[0]!, left - spec.padLow[1]!]
        const inputs = list(spec.inChannels).map((c) =>
          sandwich(
            input,
            square(t.size, (i, j) => Math.abs(x(n, row + i, column + j, c))),
          ),
        )
        const gradients = list(spec.outChannels).map((o) =>
          sandwich(
            kernel,
            square(tile, (i, j) => Math.abs(g(n, top + i, left + j, o))),
          ),
        )
        inputs.forEach((values, c) => {
          gradients.forEach((others, o) => {
            for (const i of list(t.size))
              for (const j of list(t.size)) sums[c]![o]![i]![j]! += values[i]![j]! * others[i]![j]!
          })
        })
      }
  const factor = roundings(t, tiles) * 2 ** -24 * 1.01
  const [inGroup, outGroup] = [spec.inChannels / spec.groups, spec.outChannels / spec.groups]
  // of a channel of a group of a, and each channel of b
  const made = list(inGroup).map((c) =>
    list(spec.outChannels).map((o) => sandwich(output, sums[Math.floor(o / outGroup) * inGroup + c]![o]!)),
  )
  const rows = list(t.outputs).flatMap((i) => list(t.outputs).map((j) => made.flat().map((dw) => dw[i]![j]! * factor)))
  return Float64Array.from(rows.flat())
}

/** Rows and columns that lie a dilation apart, from `first` on, of a map [N, H, W, C]. */
function image(shape: readonly number[], first: readonly number[], step: readonly number[]) {
  const [batch, , , channels] = shape as [number, number, number, number]
  const [height, width] = [0, 1].map((axis) => Math.ceil((shape[axis + 1]! - first[axis]!) / step[axis]!))
  const own = [batch, height!, width!, channels]
  const places = list(sizeOf(own)).map((i) => {
    const [c, x] = [i % channels, Math.floor(i / channels) % width!]
    const [y, n] = [Math.floor(i / channels / width!) % height!, Math.floor(i / channels / width! / height!)]
    return ((n * shape[1]! + y * step[0]! + first[0]!) * shape[2]! + x * step[1]! + first[1]!) * channels + c
  })
  return { places, size: own.slice(1, 3) }
}

/**
 * What a rounding error in Winograd's algorithm can grow to: every value passes at most `roundings` operations, each of
 * which adds 2^-24 of it, and then the transforms; so the error of an output is at most roundings * 2^-24 times the same
 * calculation on absolute values with absolute matrices, to first order. With dilation, that of each image of rows and
 * columns that lie a dilation apart.
 * @param outputs a tile's; of the gradient of the kernel the size of the tiles of the output's gradient
 */
export function winogradBound(
  contraction: Contraction,
  spec: ConvSpec,
  outputs: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Float64Array {
  const { dilation } = spec
  if (dilation.every((d) => d === 1)) return boundOf(contraction, spec, outputs, a, b)
  const gradient = contraction === 'kernelGradient'
  const resultShape = { output: outputShape, inputGradient: inputShape, kernelGradient: kernelShape }[contraction](spec)
  const bound = new Float64Array(sizeOf(resultShape))
  const t = gradient ? cookToom(spec.kernel[0]!, outputs) : cookToom(outputs, spec.kernel[0]!)
  let tiles = 0
  const parts = list(dilation[0]!).flatMap((y) => list(dilation[1]!).map((x) => [y, x]))
  for (const first of parts) {
    const [input, output] = [inputShape(spec), outputShape(spec)].map((shape) => image(shape, first, dilation))
    const own = {
      ...spec,
      input: input!.size,
      output: output!.size,
      dilation: [1, 1],
      padLow: spec.padLow.map((low, axis) => low / dilation[axis]!),
    }
    const of = (values: ArrayLike<number>, { places }: { places: number[] }) => places.map((place) => values[place]!)
    const read = contraction === 'inputGradient' ? output! : input!
    const part = boundOf(contraction, own, outputs, of(a, read), gradient ? of(b, output!) : b)
    const count = spec.batch * own.output.reduce((product, n) => product * Math.ceil(n / outputs), 1)
    tiles += count
    const { places } = contraction === 'output' ? output! : input!
    for (const [i, value] of part.entries())
      if (gradient) bound[i]! += value / roundings(t, count)
      else bound[places[i]!] = value
  }
  return gradient ? bound.map((value) => value * roundings(t, tiles)) : bound
}

function boundOf(
  contraction: Contraction,
  spec: ConvSpec,
  outputs: number,
  a: ArrayLike<number>,
  b: ArrayLike<number>,
): Float64Array {
  if (contraction === 'kernelGradient') return gradientBound(spec, outputs, { a, b })
  const t = cookToom(outputs, spec.kernel[0]!)
  const conv = convolution(contraction, spec, a, b)
  const [height, width] = conv.output as [number, number]
  const bound = new Float64Array(spec.batch * height * width * conv.outChannels)
  const factor = roundings(t, conv.inChannels / spec.groups) * 2 ** -24 * 1.01
  const [input, kernel, output] = [absolute(t.inputTransform), absolute(t.kernelTransform), absolute(t.outputTransform)]
  const weights = list(conv.inChannels).map((c) =>
    list(conv.outChannels).map((o) =>
      sandwich(
        kernel,
        square(t.taps, (i, j) => Math.abs(conv.w(i, j, c, o))),
      ),
    ),
  )
  for (let n = 0; n < spec.batch; n++)
    for (let top = 0; top < height; top += outputs)
      for (let left = 0; left < width; left += outputs) {
        const inputs = list(conv.inChannels).map((c) =>
          sandwich(
            input,
            square(t.size, (i, j) => Math.abs(conv.x(n, top + i, left + j, c))),
          ),
        )
        for (let o = 0; o < conv.outChannels; o++) {
          const products = square(t.size, (i, j) =>
            inputs.reduce((sum, values, c) => sum + values[i]![j]! * weights[c]![o]![i]![j]!, 0),
          )
          sandwich(output, products).forEach((row, i) => {
            row.forEach((value, j) => {
              if (top + i >= height || left + j >= width) return
              bound[((n * height + top + i) * width + left + j) * conv.outChannels + o] = value * factor
            })
          })
        }
      }
  return bound
}
