import { cell, decimal, type Field, oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { schema } from '../shared/schema.ts'
import { type Kernel, type KernelName, kernelNames, kernels, maxSize, nameOf } from './kernels.ts'
import type { Edge, Mode, Norm } from './model.ts'

/** The photos that come with the page, and whom they are from (see scikit-image's `skimage.data`). */
export const photos = {
  coffee: { label: 'coffee', credit: 'Rachel Michetti, courtesy of Pikolo Espresso Bar, CC0' },
  chelsea: { label: 'cat', credit: 'Chelsea by Stéfan van der Walt, CC0' },
  camera: { label: 'camera', credit: 'Lav Varshney, CC0' },
  astronaut: { label: 'astronaut', credit: 'Eileen Collins by NASA, public domain' },
} as const

export type PhotoName = keyof typeof photos
export const photoNames = Object.keys(photos) as PhotoName[]

export interface PhotoState {
  readonly p: PhotoName
  readonly k: Kernel
  /** Norm, bias, stride, edge, mode. */
  readonly n: Norm
  readonly b: number
  readonly s: number
  readonly e: Edge
  readonly m: Mode
  /** The result that is written out, [row, column]; null = the one of largest size. */
  readonly at: readonly number[] | null
}

/** Four digits: enough for any kernel, and short. */
export const roundWeight = (weight: number) => {
  const short = Number(Math.min(Math.max(weight, -999), 999).toPrecision(4))
  return Math.abs(short) < 1e-6 ? 0 : short
}

const number = /^-?(\d{1,3}(\.\d{0,10})?|\.\d{1,10})$/
const usualKernel = kernels.sobelX.make(3)

/** A named kernel with its size, `sobelX3`; any other as rows, `1,0,-1;2,0,-2;1,0,-1`. */
export const kernelField: Field<Kernel> = {
  usual: usualKernel,
  read(text) {
    const parts = /^([a-zA-Z0-9]+)-(\d{1,3})$/.exec(text)
    const name = kernelNames.find((one) => one === parts?.[1])
    if (parts && name) {
      const size = Math.min(Math.max(Number(parts[2]), 1), maxSize)
      const note = size === Number(parts[2]) ? {} : { note: `1 to ${maxSize} wide, so ${size}` }
      return { value: kernels[name].make(size), ...note }
    }
    const rows = text.split(';').map((row) => row.split(','))
    const square =
      rows.length <= maxSize && rows.every((row) => row.length === rows.length && row.every((w) => number.test(w)))
    if (square) return { value: rows.map((row) => row.map((w) => roundWeight(Number(w)))) }
    return {
      value: usualKernel,
      note: `a name and a size like gaussian-5, or as many rows as columns, at most ${maxSize}; so sobelX-3`,
    }
  },
  print(kernel) {
    const name = nameOf(kernel)
    return name ? `${name}-${kernel.length}` : kernel.map((row) => row.map(printWeight).join(',')).join(';')
  },
  random(source) {
    const size = 1 + source.integer(9)
    const name = kernelNames[source.integer(kernelNames.length)] as KernelName
    if (source.integer(2) === 0) return kernels[name].make(size)
    return Array.from({ length: size }, () => Array.from({ length: size }, () => (source.integer(41) - 20) / 10))
  },
}

const printWeight = (weight: number) => String(roundWeight(weight)).replace(/^(-?)0\./, '$1.')

export const modes: Record<Mode, string> = {
  signed: 'signed',
  abs: 'size |y|',
  relu: 'ReLU',
  clip: 'as a picture',
}
export const edges: Record<Edge, string> = {
  reflect: 'reflect',
  symmetric: 'symmetric',
  replicate: 'replicate',
  circular: 'circular',
  zero: 'zeros',
  valid: 'none: result is smaller',
}
export const norms: Record<Norm, string> = { none: '1', sum: 'their sum', abs: 'sum of sizes' }

export const page = schema<PhotoState>({
  p: oneOf(photoNames, 'coffee'),
  k: kernelField,
  n: oneOf(['none', 'sum', 'abs'], 'none'),
  b: decimal(-4, 4, 0),
  s: whole(1, 8, 1),
  e: oneOf(['reflect', 'symmetric', 'replicate', 'circular', 'zero', 'valid'], 'reflect'),
  m: oneOf(['signed', 'abs', 'relu', 'clip'], 'signed'),
  at: cell(2, 383),
})

export const presets: readonly Preset[] = [
  {
    name: 'vertical edges',
    fragment: '',
    note: 'Blue where it gets brighter to the right, orange where it gets darker; nothing where it stays the same.',
  },
  {
    name: 'horizontal edges',
    fragment: 'k=sobelY-3',
    note: 'The same kernel turned by a quarter: it sees the other edges.',
  },
  {
    name: 'spots and lines',
    fragment: 'p=chelsea&k=laplace-7',
    note: 'Whiskers are bright lines: the middle outweighs the ring around it.',
  },
  {
    name: 'slanting bars',
    fragment: 'p=camera&k=gabor45-11',
    note: 'A grating under a bell, as cells of the visual cortex have: it answers to one direction and one width.',
  },
  {
    name: 'blur',
    fragment: 'p=astronaut&k=gaussian-9&m=clip',
    note: 'No negative weights, sum 1: an average of the neighbourhood.',
  },
  {
    name: 'sharpen',
    fragment: 'p=chelsea&k=sharpen-5&m=clip',
    note: 'The picture twice, less its blur. Some values leave 0..1 and are clipped.',
  },
  {
    name: 'what clipping loses',
    fragment: 'm=clip',
    note: 'The edges of the first example as a picture: all that is negative turns black.',
  },
]
