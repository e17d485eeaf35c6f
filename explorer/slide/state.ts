import { decimal, flag, type Matrix, matrix, oneOf, whole } from '../shared/fields.ts'
import type { Preset } from '../shared/frame.ts'
import { type Mended, schema } from '../shared/schema.ts'

export interface SlideState {
  readonly X: Matrix
  readonly K: Matrix
  /** Bias. */
  readonly b: number
  readonly s: number
  /** Zeros around the input. */
  readonly p: number
  /** The output looked at, counted row by row. */
  readonly n: number
  /** The kernel is turned by half a turn first: what mathematics calls convolution. */
  readonly f: boolean
  /** Where the gradient arrives. */
  readonly g: 'one' | 'all'
}

export const mostInput = 12
export const mostKernel = 7

const square = (size: number, value: (row: number, column: number) => number): Matrix =>
  Array.from({ length: size }, (_, r) => Array.from({ length: size }, (_, c) => value(r, c)))

/** Pictures by name. */
export const inputs = {
  'diagonal edge': (n: number) => square(n, (r, c) => (r + c >= n - 1 ? 1 : 0)),
  'vertical edge': (n: number) => square(n, (_, c) => (2 * c >= n ? 1 : 0)),
  'one dot': (n: number) => square(n, (r, c) => (r === n >> 1 && c === n >> 1 ? 1 : 0)),
  ramp: (n: number) => square(n, (_, c) => c),
  checks: (n: number) => square(n, (r, c) => (r + c) % 2),
}

/** Kernels by name. */
export const kernels: Readonly<Record<string, Matrix>> = {
  'Sobel, left minus right': [
    [1, 0, -1],
    [2, 0, -2],
    [1, 0, -1],
  ],
  'Sobel, top minus bottom': [
    [1, 2, 1],
    [0, 0, 0],
    [-1, -2, -1],
  ],
  'mean of nine': square(3, () => 0.111),
  sharpen: [
    [0, -1, 0],
    [-1, 5, -1],
    [0, -1, 0],
  ],
  Laplacian: [
    [0, 1, 0],
    [1, -4, 1],
    [0, 1, 0],
  ],
  'one to nine': square(3, (r, c) => 3 * r + c + 1),
  difference: [[1, -1]],
}

export const slideSchema = schema<SlideState>(
  {
    X: matrix(mostInput, inputs['diagonal edge'](7), 99),
    K: matrix(mostKernel, kernels['Sobel, left minus right']!, 99),
    b: decimal(-99, 99, 0),
    s: whole(1, 4, 1),
    p: whole(0, 3, 0),
    n: whole(0, 324, 11),
    f: flag(),
    g: oneOf(['one', 'all'], 'one'),
  },
  mend,
)

/** Outputs along an axis; 0 or less where the kernel doesn't fit. */
export const outputsAlong = (input: number, kernel: number, state: SlideState) =>
  Math.floor((input + 2 * state.p - kernel) / state.s) + 1

function mend(state: SlideState): Mended<SlideState> {
  const rows = outputsAlong(state.X.length, state.K.length, state)
  const columns = outputsAlong(state.X[0]!.length, state.K[0]!.length, state)
  const count = rows > 0 && columns > 0 ? rows * columns : 1
  if (state.n < count) return { state, notes: [] }
  return { state: { ...state, n: count - 1 }, notes: [`output ${state.n + 1} -> ${count}: there are no more`] }
}

/** The default picture with other settings. */
const fragment = (part: Partial<SlideState>) => slideSchema.print({ ...slideSchema.usual, ...part })

const dot = inputs['one dot'](7)
const numbers = kernels['one to nine']!

export const slidePresets: readonly Preset[] = [
  {
    name: 'an edge',
    fragment: '',
    note: 'A diagonal edge under a kernel that takes the right side from the left: the products add up where the two differ.',
  },
  {
    name: 'blur',
    fragment: fragment({ K: kernels['mean of nine']! }),
    note: 'Nine equal weights: the mean of what lies under the window.',
  },
  {
    name: 'one dot',
    fragment: fragment({ X: dot, K: numbers, n: 12 }),
    note: 'One input of 1 writes the kernel into the output, turned round: layers slide without turning (cross-correlation).',
  },
  {
    name: 'true convolution',
    fragment: fragment({ X: dot, K: numbers, n: 12, f: true }),
    note: 'Turned by half a turn first, the same kernel comes out upright: that is what mathematics calls convolution.',
  },
  {
    name: 'stride 2',
    fragment: fragment({ s: 2, n: 5 }),
    note: 'Every second place: a smaller map, and some sums are never taken.',
  },
  {
    name: 'zeros around',
    fragment: fragment({ p: 1, n: 20 }),
    note: 'One zero all around keeps the size; the border now looks like an edge.',
  },
  {
    name: 'with bias',
    fragment: fragment({ b: 2, n: 7 }),
    note: 'The bias is added to every sum: the whole map is lifted by 2.',
  },
  {
    name: 'all gradients',
    fragment: fragment({ g: 'all' }),
    note: 'One unit of gradient arrives at every output: each weight gets the sum of all inputs it met.',
  },
]
