// What a wrong, damaged or hostile file is answered with.
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { FoveaError } from '../../src/base/errors.ts'
import { randomSource } from '../../src/base/random.ts'
import { loadOnnx } from '../../src/formats/index.ts'
import { modelTable, writeMessage } from '../../src/formats/onnx/proto.ts'
import { floats, graphMessage, ints, modelBytes, type Sketch } from './onnx-model.ts'

const relu: Sketch = { nodes: [{ op: 'Relu', inputs: ['x'] }], inputs: { x: [2] } }
const refused = async (bytes: Uint8Array, message: string | RegExp) => {
  const error = await loadOnnx(bytes).then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(FoveaError)
  expect((error as Error).message).toMatch(message)
}

/** A model with one weight whose message is given. */
const weighted = (initializer: object) =>
  writeMessage(modelTable, {
    graph: { ...graphMessage(relu), initializers: [{ name: 'w', ...initializer }] },
    opsets: [{ domain: '', version: 17 }],
  })

describe('bytes', () => {
  test('that are no model', async () => {
    await refused(new Uint8Array(), 'loadOnnx: there is no graph in these 0 bytes. Give an ONNX model.')
    await refused(
      new TextEncoder().encode('{"a": 1}'),
      'loadOnnx: byte 0 starts a group. The file is damaged, or no ONNX model.',
    )
  })

  test('that end too early, at every place', async () => {
    const bytes = modelBytes({ ...relu, weights: { w: floats([4], [1, 2, 3, 4]) } })
    const whole = await loadOnnx(bytes)
    expect(whole.inputs).toHaveLength(1)
    for (let length = 0; length < bytes.length; length++)
      await loadOnnx(bytes.subarray(0, length)).catch((error) => expect(error).toBeInstanceOf(FoveaError))
  })

  test('of a field longer than what is left', async () => {
    const bytes = Uint8Array.of(0x3a, 0xff, 0xff, 0xff, 0xff, 0x07, 1, 2)
    await refused(bytes, /^loadOnnx: byte 0: .*The file is damaged, or no ONNX model\.$/)
  })

  test('of a group', () => refused(Uint8Array.of(0x0b, 0x0b, 0x0b), /^loadOnnx: byte 0 starts a group/))

  test('of a wrong wire type', () =>
    refused(Uint8Array.of(0x3d, 1, 2, 3, 4), /^loadOnnx: field 'graph' at byte 1 has wire type 5, not 2/))

  test('changed by chance give an error of ours, or a model', async () => {
    const bytes = modelBytes({ ...relu, weights: { w: floats([4], [1, 2, 3, 4]), s: ints(1, 2) } })
    const random = randomSource(1)
    for (let round = 0; round < 3000; round++) {
      const copy = bytes.slice()
      for (let i = 0; i < 1 + random.integer(4); i++) copy[random.integer(copy.length)] = random.integer(256)
      await loadOnnx(copy).catch((error) => expect(error, String(error?.stack)).toBeInstanceOf(FoveaError))
    }
  })
})

describe('weights', () => {
  test('larger than any tensor', async () => {
    const huge = { dims: [2 ** 31, 2 ** 31], dataType: 1, rawData: new Uint8Array(4) }
    await refused(
      weighted(huge),
      /initialiser 'w' of shape \[2147483648, 2147483648\] has more than 134217728 elements/,
    )
    await refused(weighted({ dims: [-1], dataType: 1 }), "loadOnnx: initialiser 'w' has shape [-1]. Check the file.")
  })

  test('with too few bytes or values', async () => {
    const few = { dims: [3], dataType: 1, rawData: new Uint8Array(8) }
    await refused(weighted(few), "initialiser 'w' has 8 bytes for 3 values of float32. The file is damaged.")
    await refused(weighted({ dims: [3], dataType: 1, floatData: [1] }), "initialiser 'w' has 1 values for shape [3]")
  })

  test('of a type that has no numbers', () =>
    refused(weighted({ dims: [1], dataType: 8, stringData: [] }), "initialiser 'w' has element type 8"))
})

describe('graphs', () => {
  test('whose nodes need each other', () =>
    refused(
      modelBytes({
        nodes: [
          { op: 'Relu', inputs: ['b'], outputs: ['a'] },
          { op: 'Relu', inputs: ['a'], outputs: ['b'] },
          { op: 'Add', inputs: ['x', 'b'] },
        ],
        inputs: { x: [2] },
      }),
      "loadOnnx: Relu 'a' needs its own result (3 nodes in a circle). Check the model.",
    ))

  test('in any order run', async () => {
    const nodes = [
      { op: 'Neg', inputs: ['a'] },
      { op: 'Relu', inputs: ['x'], outputs: ['a'] },
    ]
    const model = await loadOnnx(modelBytes({ nodes, inputs: { x: [2] } }))
    expect((await model.run([3, -4])).y.data).toEqual(Float32Array.of(-3, -0))
  })

  test('without an initialiser', () =>
    refused(modelBytes({ ...relu, nodes: [{ op: 'Add', inputs: ['x', 'w'] }] }), "input 'w' of Add 'y' is missing"))

  test('that give a name twice', () =>
    refused(modelBytes({ ...relu, nodes: [...relu.nodes, ...relu.nodes] }), "loadOnnx: 'y' is given twice (Relu 'y')"))

  test('a graph without outputs', () =>
    refused(modelBytes({ ...relu, outputs: [] }), 'loadOnnx: the graph has no outputs'))
  test('whose output nobody makes', () =>
    refused(modelBytes({ ...relu, outputs: ['z'] }), "loadOnnx: output 'z' isn't made by any node"))

  test('of an old opset', () =>
    refused(modelBytes({ ...relu, opset: 6 }), 'loadOnnx: the model is of opset 6. Convert it to opset 7 or newer.'))

  test('with operations that are not supported: all are named', () =>
    refused(
      modelBytes({
        nodes: [
          { op: 'LSTM', name: 'find', inputs: ['x'], outputs: ['a'] },
          { op: 'Relu', inputs: ['x'], outputs: ['b'] },
          { op: 'Fancy', domain: 'my.ops', inputs: ['a'] },
          { op: 'constructor', inputs: ['a'], outputs: ['c'] },
        ],
        inputs: { x: [2] },
      }),
      "loadOnnx: 3 of 4 nodes aren't supported: LSTM 'find', my.ops.Fancy 'y', constructor 'c'. Export the model " +
        'without them; onnxOperations lists what is supported.',
    ))
})

describe('running', () => {
  const run = async (sketch: Sketch, inputs: Parameters<Awaited<ReturnType<typeof loadOnnx>>['run']>[0]) =>
    (await loadOnnx(modelBytes(sketch))).run(inputs)

  test('says which input is missing, unknown or of a wrong size', async () => {
    await expect(run(relu, {})).rejects.toThrow("onnx: input 'x' is missing. Give it.")
    await expect(run(relu, { x: [1, 2], z: [1] })).rejects.toThrow("onnx: 'z' isn't an input. Inputs are x.")
    await expect(run(relu, { x: [1, 2, 3] })).rejects.toThrow(
      "onnx: the shape of input 'x' doesn't follow from 3 values and [2]. Give { shape, data }.",
    )
    const short = { x: { shape: [2], data: [1] } }
    await expect(run(relu, short)).rejects.toThrow("onnx: input 'x' has 1 values for shape [2]")
    const wide = { x: { shape: [3], data: [1, 2, 3] } }
    await expect(run(relu, wide)).rejects.toThrow("onnx: input 'x' has shape [3], the model takes [2]. Reshape it.")
  })

  test('names the node that does not fit its inputs', async () => {
    const conv: Sketch = {
      nodes: [{ op: 'Conv', name: 'first', inputs: ['x', 'w'] }],
      inputs: { x: [1, 2, 4, 4] },
      weights: { w: floats([1, 3, 1, 1], [1, 1, 1]) },
    }
    const data = new Float32Array(32)
    await expect(run(conv, data)).rejects.toThrow(
      /^onnx: Conv 'first' of \[1, 2, 4, 4\], \[1, 3, 1, 1\]: conv: input has 2/,
    )
  })

  test('does not follow numbers that no result can have', async () => {
    const node = (op: string, attributes: Record<string, number | number[]>) =>
      run({ nodes: [{ op, inputs: ['x'], attributes }], inputs: { x: [1, 1, 4] } }, [1, 2, 3, 4])
    const far = 2 ** 40
    for (const op of ['MaxPool', 'AveragePool', 'LpPool']) {
      await expect(node(op, { kernel_shape: [far], pads: [far, far] })).rejects.toThrow(/windows of 1099511627776 at/)
      await expect(node(op, { kernel_shape: [1], pads: [far, far] })).rejects.toThrow(FoveaError)
      await expect(node(op, { kernel_shape: [1], strides: [0] })).rejects.toThrow(FoveaError)
      await expect(node(op, { kernel_shape: [-1] })).rejects.toThrow(FoveaError)
    }
    const weights = { w: floats([1, 1, 2], [1, 1]) }
    for (const op of ['Conv', 'ConvTranspose'])
      for (const name of ['pads', 'strides', 'dilations', 'output_padding'])
        for (const value of [far, -far]) {
          const attributes = { [name]: name === 'pads' ? [value, value] : [value], kernel_shape: [2] }
          const sketch = { nodes: [{ op, inputs: ['x', 'w'], attributes }], inputs: { x: [1, 1, 4] }, weights }
          await run(sketch, [1, 2, 3, 4]).catch((error) =>
            expect(error, `${op} ${name} ${error}`).toBeInstanceOf(FoveaError),
          )
        }
    const twice = { nodes: [{ op: 'Unsqueeze', inputs: ['x', 'a'] }], inputs: { x: [2] }, weights: { a: ints(0, 0) } }
    await expect(run(twice, [1, 2])).rejects.toThrow("onnx: Unsqueeze 'y': axes 0,0 name one twice. Check the model.")
  })

  test('allocates nothing for a shape that is too large', async () => {
    const sketch: Sketch = {
      nodes: [{ op: 'ConstantOfShape', inputs: ['s'] }],
      weights: { s: ints(2 ** 20, 2 ** 20) },
    }
    await expect(run(sketch, {})).rejects.toThrow(/ConstantOfShape 'y' of shape \[1048576, 1048576\] has more than/)
    const expand = { nodes: [{ op: 'Expand', inputs: ['x', 's'] }], inputs: { x: [1] }, weights: { s: ints(2 ** 40) } }
    await expect(run(expand, [1])).rejects.toThrow(/has more than 134217728 elements/)
  })
})

describe('external data', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fovea-onnx-'))
  afterAll(() => rmSync(folder, { recursive: true }))
  mkdirSync(join(folder, 'model'))
  const values = Float32Array.of(1, 2)
  writeFileSync(join(folder, 'outside.bin'), values)
  writeFileSync(join(folder, 'model', 'inside.bin'), values)
  symlinkSync(join(folder, 'outside.bin'), join(folder, 'model', 'link.bin'))

  const bytesFor = (location: string, extra: { key: string; value: string }[] = []) =>
    writeMessage(modelTable, {
      graph: {
        ...graphMessage({ nodes: [{ op: 'Add', inputs: ['x', 'w'] }], inputs: { x: [2] } }),
        initializers: [
          {
            name: 'w',
            dims: [2],
            dataType: 1,
            dataLocation: 1,
            externalData: [{ key: 'location', value: location }, ...extra],
          },
        ],
      },
      opsets: [{ domain: '', version: 17 }],
    })
  const load = (location: string, extra?: { key: string; value: string }[]) => {
    const path = join(folder, 'model', 'model.onnx')
    writeFileSync(path, bytesFor(location, extra))
    return loadOnnx(path)
  }

  test('beside the model is found, or given by the caller', async () => {
    expect((await (await load('inside.bin')).run([1, 1])).y.data).toEqual(Float32Array.of(2, 3))
    const externalData = { 'w.bin': new Uint8Array(values.buffer) }
    const model = await loadOnnx(bytesFor('w.bin'), { externalData })
    expect((await model.run([0, 0])).y.data).toEqual(values)
    await expect(loadOnnx(bytesFor('w.bin'))).rejects.toThrow(/lies in another file. Give the model's path, or option/)
    await expect(loadOnnx(bytesFor('constructor'), { externalData })).rejects.toThrow(/'constructor' is missing/)
  })

  test('outside the folder is refused, by path or by link', async () => {
    const locations = [
      '../outside.bin',
      join(folder, 'outside.bin'),
      'a/../../outside.bin',
      '..\\outside.bin',
      'C:\\x',
      '',
    ]
    for (const location of locations) await expect(load(location)).rejects.toThrow(/^loadOnnx: .*(isn't inside|named)/)
    await expect(load('link.bin')).rejects.toThrow("external data 'link.bin' leads out of the model's folder")
  })

  test('with a wrong place in the file is refused', async () => {
    await expect(load('inside.bin', [{ key: 'offset', value: '4' }])).rejects.toThrow('has 8 bytes, 12 are needed')
    await expect(load('inside.bin', [{ key: 'offset', value: '-4' }])).rejects.toThrow(/has offset -4 and length 8/)
    await expect(load('inside.bin', [{ key: 'length', value: '1e12' }])).rejects.toThrow(/length 1000000000000/)
    await expect(load('none.bin')).rejects.toThrow("external data 'none.bin' is missing")
  })
})
