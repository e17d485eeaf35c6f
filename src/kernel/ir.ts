/**
 * The loop language: what every algorithm is written in and every target consumes. A kernel is frozen plain data:
 * named buffers, axes that may be split between threads, and a body of counted loops with literal bounds. All
 * addresses are affine in loop indices, so bounds can be proved before any code is made.
 */

/** Type of one element of a buffer in memory. `i8` and `u8` widen to `i32` when loaded. */
export type Element = 'f32' | 'i32' | 'i8' | 'u8'
/** Type of a value while computing. */
export type ValueType = 'f32' | 'i32'
/** 1 = scalar, 4 = one 128-bit vector. */
export type Lanes = 1 | 4

/** offset + sum of scale * index, in elements of the buffer. */
export interface Affine {
  readonly offset: number
  readonly terms: readonly { readonly index: string; readonly scale: number }[]
}

/** f32: all; i32: `abs` and `neg` only. `nearest` takes ties to even. */
export type UnaryOperation = 'neg' | 'abs' | 'sqrt' | 'floor' | 'ceil' | 'trunc' | 'nearest'
/**
 * `toF32` converts i32 (signed) to f32; `toI32` truncates f32 towards zero, saturating, NaN to 0;
 * `bitsToF32` / `bitsToI32` reinterpret.
 */
export type ConvertOperation = 'toF32' | 'toI32' | 'bitsToF32' | 'bitsToI32'
/**
 * Arithmetic on two values of one type; `and or xor` on i32 only, `div` on f32 only; `min`/`max` propagate NaN.
 * `dot` is for i32 vectors: each lane is two signed 16-bit numbers, whose products are added to one 32-bit number.
 */
export type BinaryOperation = 'add' | 'sub' | 'mul' | 'div' | 'min' | 'max' | 'and' | 'or' | 'xor' | 'dot'
/** i32 shifts by a literal count. */
export type ShiftOperation = 'shl' | 'shrSigned' | 'shrUnsigned'
/** Gives an i32 mask of the same lanes: all ones (-1) where true, 0 where false. */
export type CompareOperation = 'eq' | 'ne' | 'lt' | 'le' | 'gt' | 'ge'

export type Expr =
  | { readonly kind: 'const'; readonly type: ValueType; readonly lanes: Lanes; readonly value: number }
  /** Value of a `let` or `var`. */
  | { readonly kind: 'local'; readonly type: ValueType; readonly lanes: Lanes; readonly name: string }
  /** An affine form as an i32 scalar (loop indices as numbers). */
  | { readonly kind: 'affine'; readonly type: 'i32'; readonly lanes: 1; readonly value: Affine }
  /** 4 neighbouring elements (lanes 4) or one (lanes 1). */
  | {
      readonly kind: 'load'
      readonly type: ValueType
      readonly lanes: Lanes
      readonly buffer: string
      readonly element: Element
      readonly at: Affine
    }
  /** One scalar in all 4 lanes; `splat(load)` is emitted as one instruction. */
  | { readonly kind: 'splat'; readonly type: ValueType; readonly lanes: 4; readonly a: Expr }
  /** Lane number `lane` of a vector, as a scalar. */
  | { readonly kind: 'extract'; readonly type: ValueType; readonly lanes: 1; readonly a: Expr; readonly lane: number }
  /** A vector with lanes [0, 1, 2, 3] of i32. */
  | { readonly kind: 'iota'; readonly type: 'i32'; readonly lanes: 4 }
  | {
      readonly kind: 'unary'
      readonly type: ValueType
      readonly lanes: Lanes
      readonly operation: UnaryOperation
      readonly a: Expr
    }
  | {
      readonly kind: 'convert'
      readonly type: ValueType
      readonly lanes: Lanes
      readonly operation: ConvertOperation
      readonly a: Expr
    }
  | {
      readonly kind: 'binary'
      readonly type: ValueType
      readonly lanes: Lanes
      readonly operation: BinaryOperation
      readonly a: Expr
      readonly b: Expr
    }
  | {
      readonly kind: 'shift'
      readonly type: 'i32'
      readonly lanes: Lanes
      readonly operation: ShiftOperation
      readonly a: Expr
      readonly count: number
    }
  /** Compares two f32 or two i32 (signed) values. */
  | {
      readonly kind: 'compare'
      readonly type: 'i32'
      readonly lanes: Lanes
      readonly operation: CompareOperation
      readonly a: Expr
      readonly b: Expr
    }
  /** `mask` (from `compare`, or and/or/xor of such) ? a : b, lane by lane. */
  | {
      readonly kind: 'select'
      readonly type: ValueType
      readonly lanes: Lanes
      readonly mask: Expr
      readonly a: Expr
      readonly b: Expr
    }
  /** a * b + c: fused (rounded once) where the target has it, else rounded twice; scalars always twice. */
  | {
      readonly kind: 'multiplyAdd'
      readonly type: 'f32'
      readonly lanes: Lanes
      readonly a: Expr
      readonly b: Expr
      readonly c: Expr
    }

export type Statement =
  /** for (index = from; index < to; index += step) body; bounds are literals with 0 <= from, step >= 1. */
  | {
      readonly kind: 'loop'
      readonly index: string
      readonly from: number
      readonly to: number
      readonly step: number
      readonly body: readonly Statement[]
    }
  /** An immutable name for a value. Names are unique in a kernel. */
  | { readonly kind: 'let'; readonly name: string; readonly value: Expr }
  /** A mutable local with its first value; reading it is a `local`. Scope: the rest of the enclosing body. */
  | { readonly kind: 'var'; readonly name: string; readonly value: Expr }
  | { readonly kind: 'set'; readonly name: string; readonly value: Expr }
  /** Writes the first `count` lanes of `value` (count 1..4; 1 for scalars). */
  | {
      readonly kind: 'store'
      readonly buffer: string
      readonly element: Element
      readonly at: Affine
      readonly value: Expr
      readonly count: number
    }
  /** An index read from data: i32 scalar `value` clamped to [low, high], then usable in addresses. */
  | {
      readonly kind: 'clampIndex'
      readonly index: string
      readonly value: Expr
      readonly low: number
      readonly high: number
    }

export interface Buffer {
  readonly name: string
  readonly element: Element
  /** In elements. Loads and stores outside [0, length) are refused by the bounds check. */
  readonly length: number
  readonly access: 'read' | 'write' | 'update'
}

/**
 * A kernel runs its body for every point of the product of `axes`, or for the points [begin, end) of that product in
 * row-major order: that is how threads share it. Points are independent of each other. With no axes there is one point.
 */
export interface Kernel {
  readonly name: string
  readonly buffers: readonly Buffer[]
  readonly axes: readonly { readonly index: string; readonly extent: number }[]
  readonly body: readonly Statement[]
}

/** What a target can do; tile sizes follow from it. */
export interface TargetFeatures {
  readonly name: string
  /** Lanes of a vector; 1 = no vectors. */
  readonly lanes: Lanes
  /** Vector registers that a loop can hold without spilling. */
  readonly registers: number
  /** Whether vector multiplyAdd rounds once. */
  readonly fused: boolean
}

/** Bytes of one element in memory. */
export const elementBytes = (element: Element): number => (element === 'f32' || element === 'i32' ? 4 : 1)

/** Number of points of a kernel's parallel axes. */
export const pointsOf = (kernel: Kernel): number => kernel.axes.reduce((product, axis) => product * axis.extent, 1)
