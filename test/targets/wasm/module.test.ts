import { describe, expect, test } from 'vitest'
import * as b from '../../../src/kernel/builder.ts'
import { assemble, printWat, signedLeb } from '../../../src/targets/wasm/assemble.ts'
import { emitFunctions, emitModule } from '../../../src/targets/wasm/emit.ts'
import { wasmFeatures } from '../../../src/targets/wasm/features.ts'
import { loadModule, loadModuleSync } from '../../../src/targets/wasm/load.ts'
import { unsignedLeb } from '../../../src/targets/wasm/opcodes.ts'
import { relaxed, scalar, simd, watOf } from './run.ts'

const { affine } = b

/** Adds `step` to y[p] for every point. */
const adder = (step: number) =>
  b.kernel({
    name: 'adder',
    buffers: [b.buffer('y', 'f32', 10, 'update')],
    axes: [{ index: 'p', extent: 10 }],
    body: [b.store('y', affine(0, { p: 1 }), b.add(b.load('y', affine(0, { p: 1 })), b.f32(step)))],
  })

test('LEB128, with the examples of the specification of DWARF 4, section 7.6', () => {
  expect([2, 127, 128, 129, 12857].map(unsignedLeb)).toEqual([[2], [127], [128, 1], [129, 1], [0xb9, 100]])
  expect([2, -2, 127, -127, 128, -128].map(signedLeb)).toEqual([
    [2],
    [0x7e],
    [0xff, 0],
    [0x81, 0x7f],
    [128, 1],
    [128, 0x7f],
  ])
  expect(unsignedLeb(2 ** 32 - 1)).toEqual([255, 255, 255, 255, 15])
})

describe('modules', () => {
  const memory = () => new WebAssembly.Memory({ initial: 1, maximum: 4 })

  test('hold several kernels, in order', async () => {
    const bytes = emitModule([adder(1), adder(100)], scalar)
    for (const load of [loadModule, loadModuleSync]) {
      const space = memory()
      const kernels = await load(bytes, space)
      expect(kernels.length).toBe(2)
      kernels[0]!(64, 0, 10)
      kernels[1]!(64, 3, 5)
      expect([...new Float32Array(space.buffer, 64, 10)]).toEqual([1, 1, 1, 101, 101, 1, 1, 1, 1, 1])
    }
  })
  test('import a shared memory when asked, and then no other', () => {
    const bytes = emitModule([adder(1)], { ...scalar, shared: true })
    const shared = new WebAssembly.Memory({ initial: 1, maximum: 4, shared: true })
    loadModuleSync(bytes, shared)[0]!(0, 0, 2)
    expect([...new Float32Array(shared.buffer, 0, 3)]).toEqual([1, 1, 0])
    expect(() => loadModuleSync(bytes, memory())).toThrow(WebAssembly.LinkError)
    expect(() => assemble([], { shared: true, minimum: 1 })).toThrow(/needs a maximum/)
  })
  test('state the least and most pages they want', () => {
    const bytes = assemble([], { shared: false, minimum: 2, maximum: 4 })
    expect(() => loadModuleSync(bytes, memory())).toThrow(WebAssembly.LinkError)
    expect(loadModuleSync(bytes, new WebAssembly.Memory({ initial: 2, maximum: 3 }))).toEqual([])
  })
  test('refuse negative offsets', () => {
    const code = [{ op: 'local.get', local: { type: 'i', name: 'x' } }] as const
    expect(() => assemble([{ name: 'f', parameters: [], locals: [], code }], { shared: false, minimum: 0 })).toThrow(
      /declared/,
    )
    const outside = b.store('y', affine(-1), b.f32(0))
    const kernel = { ...adder(1), body: [{ ...outside, at: affine(-1, { p: 0 }) }] }
    expect(() => emitModule([kernel], scalar)).toThrow(/negative immediate/)
  })
})

test('wasmFeatures says what the engine validates, and fused needs relaxed', () => {
  const features = wasmFeatures()
  expect(features).toMatchObject({ name: 'wasm', lanes: 4, registers: 'f16round' in Math ? 15 : 12, simd: true })
  expect(features.fused && !features.relaxed).toBe(false)
  expect(WebAssembly.validate(emitModule([tile], relaxed))).toBe(features.relaxed)
  expect(WebAssembly.validate(emitModule([tile], simd))).toBe(true)
})

const vector = (name: string) => b.local(name, 'f32', 4)

/** One row by four columns of a matrix product over 5: y[p] = max(0, sum over k of x[p, k] * w[k]). */
const tile = b.kernel({
  name: 'tile',
  buffers: [b.buffer('x', 'f32', 15, 'read'), b.buffer('w', 'f32', 20, 'read'), b.buffer('y', 'f32', 12, 'write')],
  axes: [{ index: 'p', extent: 3 }],
  body: [
    b.variable('sum', b.f32(0, 4)),
    b.loop('k', 1, 5, 1, [
      b.define('x0', b.splat(b.load('x', affine(-1, { p: 5, k: 1 })))),
      b.set('sum', b.multiplyAdd(vector('x0'), b.load('w', affine(-4, { k: 4 }), 4), vector('sum'))),
    ]),
    b.store('y', affine(0, { p: 4 }), b.max(vector('sum'), b.f32(0, 4)), 3),
  ],
})

test('text: two pointers and an end in the inner loop, nothing else', () => {
  expect(watOf(tile, relaxed)).toMatchInlineSnapshot(`
    "(func $k0 (export "k0") (param $x i32) (param $w i32) (param $y i32) (param $begin i32) (param $end i32)
      (local $x_1 i32) (local $y_1 i32) (local $sum v128) (local $x_2 i32) (local $w_2 i32) (local $x_2_end i32) (local $x0 v128) (local $stored v128)
      block
        local.get $begin
        local.get $end
        i32.ge_s
        br_if 0
        loop
          local.get $x
          local.get $begin
          i32.const 20
          i32.mul
          i32.add
          local.set $x_1
          local.get $y
          local.get $begin
          i32.const 16
          i32.mul
          i32.add
          local.set $y_1
          v128.const i8x16 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
          local.set $sum
          local.get $x_1
          local.set $x_2
          local.get $w
          local.set $w_2
          local.get $x_2
          i32.const 16
          i32.add
          local.set $x_2_end
          loop
            local.get $x_2
            v128.load32_splat align=4
            local.set $x0
            local.get $x0
            local.get $w_2
            v128.load align=4
            local.get $sum
            f32x4.relaxed_madd
            local.set $sum
            local.get $x_2
            i32.const 4
            i32.add
            local.set $x_2
            local.get $w_2
            i32.const 16
            i32.add
            local.set $w_2
            local.get $x_2
            local.get $x_2_end
            i32.ne
            br_if 0
          end
          local.get $sum
          v128.const i8x16 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
          f32x4.pmax
          v128.const i8x16 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0
          f32x4.add
          local.set $stored
          local.get $y_1
          local.get $stored
          v128.store64_lane align=4 0
          local.get $y_1
          local.get $stored
          v128.store32_lane offset=8 align=4 2
          local.get $begin
          i32.const 1
          i32.add
          local.set $begin
          local.get $begin
          local.get $end
          i32.ne
          br_if 0
        end
      end)"
  `)
})

test('text: constants, lanes and names used twice', () => {
  const body = [
    b.store('y', affine(2), b.f32(Number.POSITIVE_INFINITY)),
    b.loop('k', 0, 2, 1, [b.store('y', affine(0), b.load('y', affine(1)))]),
    b.loop('k', 0, 2, 1, [b.store('y', affine(1), b.toF32(b.and(b.i32(7), b.lt(b.f32(1), b.f32(Number.NaN)))))]),
  ]
  expect(printWat(emitFunctions([b.kernel({ ...adder(1), axes: [], body })], scalar))).toMatchInlineSnapshot(`
    "(func $k0 (export "k0") (param $y i32) (param $begin i32) (param $end i32)
      (local $k i32) (local $k.1 i32)
      block
        local.get $begin
        local.get $end
        i32.ge_s
        br_if 0
        loop
          local.get $y
          f32.const inf
          f32.store offset=8 align=4
          i32.const 2
          local.set $k
          loop
            local.get $y
            local.get $y
            f32.load offset=4 align=4
            f32.store align=4
            local.get $k
            i32.const 1
            i32.sub
            local.tee $k
            br_if 0
          end
          i32.const 2
          local.set $k.1
          loop
            local.get $y
            i32.const 7
            i32.const 0
            f32.const 1
            f32.const nan
            f32.lt
            i32.sub
            i32.and
            f32.convert_i32_s
            f32.store offset=4 align=4
            local.get $k.1
            i32.const 1
            i32.sub
            local.tee $k.1
            br_if 0
          end
          local.get $begin
          i32.const 1
          i32.add
          local.set $begin
          local.get $begin
          local.get $end
          i32.ne
          br_if 0
        end
      end)"
  `)
})
