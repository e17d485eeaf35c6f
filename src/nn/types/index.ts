export type { Add, Ceiling, Multiply, Quotient, Remainder, Subtract, Volume } from './numbers.ts'
export type { After, Follow, Followed, RankOf, Ruled, ShapeRule } from './rule.ts'
export type {
  Dense,
  Flatten,
  Global,
  Grouped,
  Kept,
  LastAxes,
  Padded,
  Parallel,
  Reshaped,
  Residual,
  Scaled,
  Shuffled,
  Sized,
} from './shapes.ts'
export type { Conv, ConvTranspose, Depthwise, Pooling, Separable } from './windows.ts'
