/**
 * Every WebAssembly instruction fovea emits, once: name as in the text format, bytes, immediates and stack signature
 * (WebAssembly 2.0 core specification, chapter 5.4; relaxed SIMD proposal). Tests execute every row.
 */

/** Types on the stack: `i` = i32, `f` = f32, `v` = v128. */
export type StackType = 'i' | 'f' | 'v'

/**
 * What follows the opcode: a local; a branch depth; a constant; 16 bytes (v128.const, shuffle); a lane number;
 * alignment (log2) and offset; the same with a lane number; the empty block type.
 */
export type Immediate =
  | 'none'
  | 'local'
  | 'depth'
  | 'i32'
  | 'f32'
  | 'bytes'
  | 'lane'
  | 'memory'
  | 'memoryLane'
  | 'block'

export interface Opcode {
  readonly bytes: readonly number[]
  readonly immediate: Immediate
  /** Operands, first pushed first. Empty for `local.*` and `select`, whose types depend on their use. */
  readonly takes: readonly StackType[]
  readonly gives: readonly StackType[]
}

/** Unsigned LEB128 of an integer in [0, 2^53). */
export function unsignedLeb(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest >= 128) {
    bytes.push((rest % 128) | 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return bytes
}

/** Signature 'ab>c' = takes a and b, gives c. */
function row(bytes: readonly number[], signature: string, immediate: Immediate): Opcode {
  const [takes, gives] = signature.split('>').map((types) => [...types] as StackType[])
  return { bytes, immediate, takes: takes!, gives: gives! }
}

const plain = (code: number, signature: string, immediate: Immediate = 'none') => row([code], signature, immediate)
const simd = (code: number, signature: string, immediate: Immediate = 'none') =>
  row([0xfd, ...unsignedLeb(code)], signature, immediate)

export const opcodes = {
  block: plain(0x02, '>', 'block'),
  loop: plain(0x03, '>', 'block'),
  if: plain(0x04, 'i>', 'block'),
  end: plain(0x0b, '>'),
  br_if: plain(0x0d, 'i>', 'depth'),
  select: plain(0x1b, '>'),
  'local.get': plain(0x20, '>', 'local'),
  'local.set': plain(0x21, '>', 'local'),
  'local.tee': plain(0x22, '>', 'local'),

  'i32.load': plain(0x28, 'i>i', 'memory'),
  'f32.load': plain(0x2a, 'i>f', 'memory'),
  'i32.load8_s': plain(0x2c, 'i>i', 'memory'),
  'i32.load8_u': plain(0x2d, 'i>i', 'memory'),
  'i32.store': plain(0x36, 'ii>', 'memory'),
  'f32.store': plain(0x38, 'if>', 'memory'),
  'i32.store8': plain(0x3a, 'ii>', 'memory'),
  'v128.load': simd(0x00, 'i>v', 'memory'),
  'v128.load32_splat': simd(0x09, 'i>v', 'memory'),
  'v128.load32_zero': simd(0x5c, 'i>v', 'memory'),
  'v128.store': simd(0x0b, 'iv>', 'memory'),
  'v128.store8_lane': simd(0x58, 'iv>', 'memoryLane'),
  'v128.store16_lane': simd(0x59, 'iv>', 'memoryLane'),
  'v128.store32_lane': simd(0x5a, 'iv>', 'memoryLane'),
  'v128.store64_lane': simd(0x5b, 'iv>', 'memoryLane'),

  'i32.const': plain(0x41, '>i', 'i32'),
  'i32.eq': plain(0x46, 'ii>i'),
  'i32.ne': plain(0x47, 'ii>i'),
  'i32.lt_s': plain(0x48, 'ii>i'),
  'i32.gt_s': plain(0x4a, 'ii>i'),
  'i32.le_s': plain(0x4c, 'ii>i'),
  'i32.ge_s': plain(0x4e, 'ii>i'),
  'i32.add': plain(0x6a, 'ii>i'),
  'i32.sub': plain(0x6b, 'ii>i'),
  'i32.mul': plain(0x6c, 'ii>i'),
  'i32.div_u': plain(0x6e, 'ii>i'),
  'i32.rem_u': plain(0x70, 'ii>i'),
  'i32.and': plain(0x71, 'ii>i'),
  'i32.or': plain(0x72, 'ii>i'),
  'i32.xor': plain(0x73, 'ii>i'),
  'i32.shl': plain(0x74, 'ii>i'),
  'i32.shr_s': plain(0x75, 'ii>i'),
  'i32.shr_u': plain(0x76, 'ii>i'),
  'i32.trunc_sat_f32_s': row([0xfc, 0], 'f>i', 'none'),
  'i32.reinterpret_f32': plain(0xbc, 'f>i'),

  'f32.const': plain(0x43, '>f', 'f32'),
  'f32.eq': plain(0x5b, 'ff>i'),
  'f32.ne': plain(0x5c, 'ff>i'),
  'f32.lt': plain(0x5d, 'ff>i'),
  'f32.gt': plain(0x5e, 'ff>i'),
  'f32.le': plain(0x5f, 'ff>i'),
  'f32.ge': plain(0x60, 'ff>i'),
  'f32.abs': plain(0x8b, 'f>f'),
  'f32.neg': plain(0x8c, 'f>f'),
  'f32.ceil': plain(0x8d, 'f>f'),
  'f32.floor': plain(0x8e, 'f>f'),
  'f32.trunc': plain(0x8f, 'f>f'),
  'f32.nearest': plain(0x90, 'f>f'),
  'f32.sqrt': plain(0x91, 'f>f'),
  'f32.add': plain(0x92, 'ff>f'),
  'f32.sub': plain(0x93, 'ff>f'),
  'f32.mul': plain(0x94, 'ff>f'),
  'f32.div': plain(0x95, 'ff>f'),
  'f32.min': plain(0x96, 'ff>f'),
  'f32.max': plain(0x97, 'ff>f'),
  'f32.convert_i32_s': plain(0xb2, 'i>f'),
  'f32.reinterpret_i32': plain(0xbe, 'i>f'),

  'v128.const': simd(0x0c, '>v', 'bytes'),
  'v128.and': simd(0x4e, 'vv>v'),
  'v128.or': simd(0x50, 'vv>v'),
  'v128.xor': simd(0x51, 'vv>v'),
  'v128.bitselect': simd(0x52, 'vvv>v'),
  'i8x16.shuffle': simd(0x0d, 'vv>v', 'bytes'),
  'i16x8.extend_low_i8x16_s': simd(0x87, 'v>v'),
  'i16x8.extend_low_i8x16_u': simd(0x89, 'v>v'),
  'i32x4.extend_low_i16x8_s': simd(0xa7, 'v>v'),
  'i32x4.extend_low_i16x8_u': simd(0xa9, 'v>v'),

  'i32x4.splat': simd(0x11, 'i>v'),
  'i32x4.extract_lane': simd(0x1b, 'v>i', 'lane'),
  'i32x4.eq': simd(0x37, 'vv>v'),
  'i32x4.ne': simd(0x38, 'vv>v'),
  'i32x4.lt_s': simd(0x39, 'vv>v'),
  'i32x4.gt_s': simd(0x3b, 'vv>v'),
  'i32x4.le_s': simd(0x3d, 'vv>v'),
  'i32x4.ge_s': simd(0x3f, 'vv>v'),
  'i32x4.abs': simd(0xa0, 'v>v'),
  'i32x4.neg': simd(0xa1, 'v>v'),
  'i32x4.shl': simd(0xab, 'vi>v'),
  'i32x4.shr_s': simd(0xac, 'vi>v'),
  'i32x4.shr_u': simd(0xad, 'vi>v'),
  'i32x4.add': simd(0xae, 'vv>v'),
  'i32x4.sub': simd(0xb1, 'vv>v'),
  'i32x4.mul': simd(0xb5, 'vv>v'),
  'i32x4.min_s': simd(0xb6, 'vv>v'),
  'i32x4.max_s': simd(0xb8, 'vv>v'),
  'i32x4.dot_i16x8_s': simd(0xba, 'vv>v'),
  'i32x4.trunc_sat_f32x4_s': simd(0xf8, 'v>v'),

  'f32x4.splat': simd(0x13, 'f>v'),
  'f32x4.extract_lane': simd(0x1f, 'v>f', 'lane'),
  'f32x4.eq': simd(0x41, 'vv>v'),
  'f32x4.ne': simd(0x42, 'vv>v'),
  'f32x4.lt': simd(0x43, 'vv>v'),
  'f32x4.gt': simd(0x44, 'vv>v'),
  'f32x4.le': simd(0x45, 'vv>v'),
  'f32x4.ge': simd(0x46, 'vv>v'),
  'f32x4.ceil': simd(0x67, 'v>v'),
  'f32x4.floor': simd(0x68, 'v>v'),
  'f32x4.trunc': simd(0x69, 'v>v'),
  'f32x4.nearest': simd(0x6a, 'v>v'),
  'f32x4.abs': simd(0xe0, 'v>v'),
  'f32x4.neg': simd(0xe1, 'v>v'),
  'f32x4.sqrt': simd(0xe3, 'v>v'),
  'f32x4.add': simd(0xe4, 'vv>v'),
  'f32x4.sub': simd(0xe5, 'vv>v'),
  'f32x4.mul': simd(0xe6, 'vv>v'),
  'f32x4.div': simd(0xe7, 'vv>v'),
  'f32x4.min': simd(0xe8, 'vv>v'),
  'f32x4.max': simd(0xe9, 'vv>v'),
  'f32x4.pmin': simd(0xea, 'vv>v'),
  'f32x4.pmax': simd(0xeb, 'vv>v'),
  'f32x4.convert_i32x4_s': simd(0xfa, 'v>v'),

  'f32x4.relaxed_madd': simd(0x105, 'vvv>v'),
  'i32x4.relaxed_laneselect': simd(0x10b, 'vvv>v'),
} satisfies Record<string, Opcode>

export type OpcodeName = keyof typeof opcodes
