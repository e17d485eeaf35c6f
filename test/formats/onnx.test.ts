import { describe, expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { loadOnnx, onnxOperations } from '../../src/formats/index.ts'
import { buildGraph } from '../../src/formats/onnx/build.ts'
import { fixed, fromHalf, toHalf } from '../../src/formats/onnx/elements.ts'
import { readGraph } from '../../src/formats/onnx/graph.ts'
import { permuteFixed } from '../../src/formats/onnx/permute.ts'
import { live, plain, type Value } from '../../src/formats/onnx/value.ts'
import { floats, ints, modelBytes, type NodeSketch, type Sketch } from './onnx-model.ts'

const ramp = (count: number) => Float32Array.from({ length: count }, (_, i) => ((i * 7) % 11) - 5)

/** The result 'y' of a model for inputs of given shapes. */
async function resultOf(sketch: Sketch, inputs: Record<string, { shape: number[]; data: ArrayLike<number> }>) {
  const model = await loadOnnx(modelBytes(sketch))
  const { y } = await model.run(inputs)
  return { shape: y.shape, data: [...(y.data as Float32Array)], type: y.type }
}

/** One node of one input x. */
const single = (
  node: Omit<NodeSketch, 'inputs'>,
  shape: number[],
  data: ArrayLike<number>,
  extra: Partial<Sketch> = {},
) =>
  resultOf(
    { nodes: [{ inputs: ['x', ...Object.keys(extra.weights ?? {})], ...node }], inputs: { x: shape }, ...extra },
    { x: { shape, data } },
  )

/** Kinds of the steps that a model's program has. */
function stepKinds(sketch: Sketch, shape: number[]): string[] {
  const graph = readGraph(modelBytes(sketch))
  const program = compile(
    (x) => plain(buildGraph(graph, new Map<string, Value>([['x', live('float32', x)]])).values.get('y')!),
    [shape],
  )
  return program.steps.map((step) => step.node.operation.kind)
}

const chain = (...nodes: Omit<NodeSketch, 'inputs'>[]): NodeSketch[] =>
  nodes.map((node, i) => ({
    ...node,
    inputs: [i === 0 ? 'x' : `v${i}`, ...((node as NodeSketch).inputs ?? [])],
    outputs: [i === nodes.length - 1 ? 'y' : `v${i + 1}`],
  }))

describe('values by hand', () => {
  test('a convolution takes N, C, H, W', async () => {
    const kernel = floats([1, 2, 1, 2], [1, 2, 10, 20])
    const { shape, data } = await single({ op: 'Conv' }, [1, 2, 1, 3], [1, 2, 3, 4, 5, 6], { weights: { w: kernel } })
    expect(shape).toEqual([1, 1, 1, 2])
    expect(data).toEqual([1 + 4 + 40 + 100, 2 + 6 + 50 + 120])
  })

  test('a product of what was flattened takes C, H, W in this order', async () => {
    const weights = { w: floats([8, 1], [1, 2, 3, 4, 5, 6, 7, 8]) }
    const pool = { op: 'MaxPool', attributes: { kernel_shape: [1, 1] } }
    for (const flat of [{ op: 'Flatten' }, { op: 'Reshape', inputs: ['shape'] }] as Omit<NodeSketch, 'inputs'>[]) {
      const nodes = chain(pool, flat, { op: 'Gemm', inputs: ['w'] } as Omit<NodeSketch, 'inputs'>)
      const sketch = { nodes, inputs: { x: [1, 2, 2, 2] }, weights: { ...weights, shape: ints(0, -1) } }
      const { data } = await resultOf(sketch, { x: { shape: [1, 2, 2, 2], data: [1, 0, 0, 0, 10, 0, 0, 100] } })
      expect(data).toEqual([1 + 50 + 800])
      expect(stepKinds(sketch, [1, 2, 2, 2]).filter((kind) => kind === 'transpose')).toHaveLength(1)
    }
  })

  test('shapes are worked out when a program is made: Shape, Gather, Concat, Reshape', async () => {
    const nodes: NodeSketch[] = [
      { op: 'Shape', inputs: ['x'], outputs: ['s'] },
      { op: 'Gather', inputs: ['s', 'zero'], outputs: ['n'], attributes: { axis: 0 } },
      { op: 'Concat', inputs: ['n', 'rest'], outputs: ['t'], attributes: { axis: 0 } },
      { op: 'Reshape', inputs: ['x', 't'] },
    ]
    const sketch = { nodes, inputs: { x: ['batch', 2, 3] }, weights: { zero: ints(0), rest: ints(-1) } }
    for (const n of [1, 4]) {
      const { shape, data } = await resultOf(sketch, { x: { shape: [n, 2, 3], data: ramp(6 * n) } })
      expect(shape).toEqual([n, 6])
      expect(data).toEqual([...ramp(6 * n)])
    }
  })

  test('an input that decides a shape makes a program for its value', async () => {
    const model = await loadOnnx(
      modelBytes({ nodes: [{ op: 'Expand', inputs: ['x', 's'] }], inputs: { x: [1, 2], s: [2] } }),
    )
    const x = { shape: [1, 2], data: [5, 7] }
    expect([...((await model.run({ x, s: { shape: [2], data: [2, 2] } })).y.data as Float32Array)]).toEqual([
      5, 7, 5, 7,
    ])
    expect((await model.run({ x, s: { shape: [2], data: [3, 2] } })).y.shape).toEqual([3, 2])
  })

  test('whole numbers are exact, wrap around and divide towards zero', async () => {
    const big = 2 ** 40 + 1
    const weights = { a: fixed('int64', [3], [big, -7, 7]), b: fixed('int64', [3], [1, 2, -2]) }
    const of = async (op: string) => (await resultOf({ nodes: [{ op, inputs: ['a', 'b'] }], weights }, {})).data
    expect(await of('Add')).toEqual([big + 1, -5, 5])
    expect(await of('Div')).toEqual([big, -3, -3])
    const cast: NodeSketch[] = [{ op: 'Cast', inputs: ['a'], attributes: { to: 3 } }]
    const { data, type } = await resultOf({ nodes: cast, weights: { a: fixed('int64', [2], [300, -129]) } }, {})
    expect([type, data]).toEqual(['int8', [44, 127]])
  })

  test('slices backwards, from the end and beyond', async () => {
    const of = async (start: number, end: number, step: number) =>
      (
        await single({ op: 'Slice' }, [5], [0, 1, 2, 3, 4], {
          weights: { s: ints(start), e: ints(end), a: ints(0), t: ints(step) },
        })
      ).data
    expect(await of(-2, 1000, 1)).toEqual([3, 4])
    expect(await of(-1, -6, -2)).toEqual([4, 2, 0])
    expect(await of(1, -1, 1)).toEqual([1, 2, 3])
  })

  test('powers of negative numbers by whole exponents', async () => {
    const of = async (p: number) =>
      (await single({ op: 'Pow' }, [3], [-2, 3, 0], { weights: { p: floats([], [p]) } })).data
    expect((await of(4)).map(Math.round)).toEqual([16, 81, 0])
    expect((await of(5)).map(Math.round)).toEqual([-32, 243, 0])
  })

  test('dropout passes everything on, and is refused where it would drop', async () => {
    const of = (training: number, ratio: number) => {
      const weights = { r: floats([], [ratio]), t: fixed('bool', [], [training]) }
      return single({ op: 'Dropout' }, [2], [1, 2], { weights })
    }
    for (const [training, ratio] of [
      [0, 0.5],
      [1, 0],
    ])
      expect((await of(training, ratio)).data).toEqual([1, 2])
    await expect(of(1, 0.5)).rejects.toThrow(
      "onnx: Dropout 'y': it drops values by chance. Export the model for inference.",
    )
  })

  test('Round takes ties to even', async () => {
    const { data } = await single({ op: 'Round' }, [6], [0.5, 1.5, 2.5, -0.5, -1.5, 0.7])
    expect(data.map((v) => v + 0)).toEqual([0, 2, 2, 0, -2, 1])
  })

  test('a short list counts samples, and the shape that the model says completes it', async () => {
    const model = await loadOnnx(modelBytes({ nodes: [{ op: 'Relu', inputs: ['x'] }], inputs: { x: ['N', 2] } }))
    expect(model.inputs).toEqual([{ name: 'x', type: 'float32', shape: ['N', 2] }])
    expect((await model.run([1, -1, 2, -2, 3, -3])).y).toMatchObject({ shape: [3, 2] })
    expect((await model.run({ x: [1, -1] })).y.data).toEqual(Float32Array.of(1, 0))
  })
})

describe('transposes', () => {
  const conv = { op: 'Conv', inputs: ['w'] } as Omit<NodeSketch, 'inputs'>
  const weights = { w: floats([3, 3, 1, 1], ramp(9)), b: floats([3, 1, 1], [1, 2, 3]) }

  test('are made once at each end of a chain of convolutions, biases, poolings and sums', () => {
    const nodes: NodeSketch[] = [
      { op: 'Conv', inputs: ['x', 'w'], outputs: ['a'] },
      { op: 'Add', inputs: ['a', 'b'], outputs: ['c'] },
      { op: 'MaxPool', inputs: ['c'], outputs: ['d'], attributes: { kernel_shape: [2, 2] } },
      { op: 'Conv', inputs: ['d', 'w'], outputs: ['e'] },
      { op: 'Concat', inputs: ['d', 'e'], outputs: ['f'], attributes: { axis: 1 } },
      { op: 'Relu', inputs: ['f'] },
    ]
    const kinds = stepKinds({ nodes, inputs: { x: [1, 3, 4, 4] }, weights }, [1, 3, 4, 4])
    expect(kinds.filter((kind) => kind === 'transpose')).toHaveLength(2)
  })

  test('of a model that was made with channels last disappear', () => {
    const last = { op: 'Transpose', attributes: { perm: [0, 2, 3, 1] } }
    const first = { op: 'Transpose', attributes: { perm: [0, 3, 1, 2] } }
    const nodes = chain(first, conv, last, { op: 'Tanh' }, first, conv, last)
    expect(stepKinds({ nodes, inputs: { x: [1, 4, 4, 3] }, weights }, [1, 4, 4, 3])).not.toContain('transpose')
  })

  test('of a known tensor are those of its indices', () => {
    const value = floats([2, 1, 3, 2], ramp(12))
    const { shape, data } = permuteFixed(value, [3, 0, 1, 2])
    expect(shape).toEqual([2, 2, 1, 3])
    for (let a = 0; a < 2; a++)
      for (let c = 0; c < 3; c++)
        for (let d = 0; d < 2; d++) expect(data[d * 6 + a * 3 + c]).toBe(value.data[a * 6 + c * 2 + d])
  })
})

test('every binary16 survives, halves in between go to the even one', () => {
  for (let half = 0; half < 0x7c00; half += 1) expect(toHalf(fromHalf(half))).toBe(half)
  expect(toHalf(1 + 2 ** -11)).toBe(toHalf(1))
  expect(toHalf(1 + 3 * 2 ** -11)).toBe(toHalf(1 + 2 ** -9))
  expect([toHalf(1e9), toHalf(-1e9)]).toEqual([0x7c00, 0xfc00])
})

test('the operations are listed by name', () => {
  for (const op of ['Conv', 'Gemm', 'Resize', 'QLinearConv']) expect(onnxOperations).toContain(op)
})

describe('a run', () => {
  /** Two programs: what is gathered decides a shape in between. */
  const staged: Sketch = {
    nodes: [
      { op: 'Relu', inputs: ['x'], outputs: ['r'] },
      { op: 'NonZero', inputs: ['r'], outputs: ['places'] },
      { op: 'Cast', inputs: ['places'], attributes: { to: 1 } },
    ],
    inputs: { x: [3] },
  }

  test('ends when its signal says so, before it begins and between programs', async () => {
    const model = await loadOnnx(modelBytes(staged))
    const x = Float32Array.of(-1, 2, 3)
    expect((await model.run(x, { signal: new AbortController().signal })).y.data).toEqual(Float32Array.of(1, 2))
    await expect(model.run(x, { signal: AbortSignal.abort(new Error('enough')) })).rejects.toThrow('enough')
    const late = new AbortController()
    const running = model.run(x, { signal: late.signal })
    late.abort(new Error('late'))
    await expect(running).rejects.toThrow('late')
  })

  test('does not begin to read a file whose signal is aborted', async () => {
    await expect(loadOnnx(modelBytes(staged), { signal: AbortSignal.abort(new Error('no')) })).rejects.toThrow('no')
  })

  test('takes the precision and the target of a program', async () => {
    const kernel = floats([64, 64, 3, 3], ramp(64 * 64 * 9))
    const model = await loadOnnx(
      modelBytes({
        nodes: [{ op: 'Conv', inputs: ['x', 'w'] }],
        inputs: { x: [1, 64, 14, 14] },
        weights: { w: kernel },
      }),
    )
    const x = ramp(64 * 14 * 14)
    const algorithms = (['direct', 'fast'] as const).map((precision) =>
      model.plan(x, { precision }).steps.map(({ plan }) => plan?.algorithm),
    )
    expect(algorithms[0]).toContain('implicit')
    expect(algorithms[1]).not.toContain('implicit')
    const [exact, near] = [await model.run(x, { target: 'reference' }), await model.run(x, { precision: 'direct' })]
    expect(near.y.data).toEqual(exact.y.data)
    expect(() => model.plan(x, { precision: 'exact' as 'fast' })).toThrow(/precision 'exact' is unknown/)
  })
})
