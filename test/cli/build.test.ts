import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import { chromium as launcher } from 'playwright'
import { build as bundle } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chromium, launchOptions } from '../../scripts/chromium.mjs'
import { randomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import { relaxedProbe } from '../../src/cli/build/module.ts'
import { type BuiltModel, start } from '../../src/cli/build/runtime.ts'
import { type BuildCommand, buildCommand } from '../../src/cli/build.ts'
import { serveSite } from '../../src/cli/explore.ts'
import { loadOnnx } from '../../src/formats/index.ts'
import { conv2d, dense, flatten, loadModel, maxPool2d, sequential } from '../../src/nn/index.ts'
import { wasmFeatures } from '../../src/targets/wasm/features.ts'
import { floats, ints, modelBytes, type Sketch } from '../formats/onnx-model.ts'
import { check } from '../types/typescript.ts'

const root = new URL('../..', import.meta.url).pathname
const folder = mkdtempSync(join(tmpdir(), 'fovea-build-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

const random = randomSource(3)
const values = (count: number) => Float32Array.from({ length: count }, () => random.normal())
const whole = (count: number) => Float32Array.from({ length: count }, () => random.integer(7) - 3)

/** Convolutions that take the direct way, Winograd's and the depthwise one, on a batch and sizes that are open. */
const network: Sketch = {
  inputs: { picture: ['N', 3, 'H', 'W'], offset: [1, 5] },
  weights: {
    first: floats([16, 3, 3, 3], values(16 * 27)),
    second: floats([16, 16, 3, 3], whole(16 * 16 * 9)),
    depthwise: floats([16, 1, 3, 3], values(16 * 9)),
    bias: floats([16], values(16)),
    matrix: floats([16, 5], values(80)),
    ends: ints(0, 0, 1, 1, 0, 0, 1, 1),
  },
  nodes: [
    { op: 'Pad', inputs: ['picture', 'ends'], outputs: ['p'], attributes: { mode: 'reflect' } },
    { op: 'Conv', inputs: ['p', 'first', 'bias'], outputs: ['a'] },
    { op: 'Relu', inputs: ['a'], outputs: ['b'] },
    { op: 'Conv', inputs: ['b', 'second', 'bias'], outputs: ['c'], attributes: { pads: [1, 1, 1, 1] } },
    { op: 'Add', inputs: ['b', 'c'], outputs: ['d'] },
    { op: 'Conv', inputs: ['d', 'depthwise'], outputs: ['e'], attributes: { pads: [1, 1, 1, 1], group: 16 } },
    { op: 'GlobalAveragePool', inputs: ['e'], outputs: ['f'] },
    { op: 'Flatten', inputs: ['f'], outputs: ['g'] },
    { op: 'MatMul', inputs: ['g', 'matrix'], outputs: ['h'] },
    { op: 'Add', inputs: ['h', 'offset'], outputs: ['y'] },
  ],
  outputs: ['y', 'e'],
}

const printed: string[] = []
const print = (line = '') => printed.push(line)
const terminal = { print, note: print, interactive: false, greys: false, columns: 80 }

const build = (from: string, to: string, asked: Omit<BuildCommand, 'output'> = {}) =>
  buildCommand(at(from), { ...asked, output: at(to) }, terminal)

const loaded = async (name: string): Promise<BuiltModel> => (await import(pathToFileURL(at(name)).href)).load()

const inputsOf = ({ inputs }: BuiltModel) =>
  Object.fromEntries(Object.entries(inputs).map(([name, shape]) => [name, values(sizeOf(shape))]))

const bits = (list: ArrayLike<number>) => new Uint32Array(Float32Array.from(list).buffer)

const own = sequential(
  [20, 20, 2],
  [conv2d(16, 3, { padding: 'same', paddingMode: 'reflect', activation: 'relu' }), maxPool2d(2), flatten(), dense(4)],
  { seed: 5 },
)

beforeAll(async () => {
  writeFileSync(at('network.onnx'), modelBytes(network))
  await own.save(at('own.safetensors'))
  await build('network.onnx', 'site/network.js', { batch: 2, shape: new Map([['picture', [2, 3, 24, 20]]]) })
  await build('own.safetensors', 'site/own.mjs', { batch: 3 })
})

describe('a built model', () => {
  test('of ONNX gives the bits of the library', async () => {
    const model = await loaded('site/network.js')
    expect(model.inputs).toEqual({ picture: [2, 3, 24, 20], offset: [1, 5] })
    expect(model.outputs).toEqual({ y: [2, 5], e: [2, 16, 24, 20] })
    const library = await loadOnnx(at('network.onnx'))
    for (let round = 0; round < 2; round++) {
      const given = inputsOf(model)
      const wanted = await library.run(
        Object.fromEntries(Object.entries(given).map(([name, data]) => [name, { shape: model.inputs[name], data }])),
      )
      const results = await model.run(given)
      expect(Object.keys(results)).toEqual(['y', 'e'])
      for (const [name, result] of Object.entries(results)) expect(bits(result)).toEqual(bits(wanted[name].data))
    }
  })

  test('of layers gives the bits of the library', async () => {
    const model = await loaded('site/own.mjs')
    expect(model.inputs).toEqual({ input: [3, 20, 20, 2] })
    const { input } = inputsOf(model)
    const { output } = await model.run({ input })
    const library = loadModel(readFileSync(at('own.safetensors')))
    expect(bits(output)).toEqual(bits(await library.predict(input, { batchSize: 3 })))
  })

  test('computes the same where the engine has no relaxed SIMD', async () => {
    const fast = await loaded('site/network.js')
    const plain = await start(new Uint8Array(readFileSync(at('site/network.wasm'))), weightsOf('network'))
    const given = inputsOf(fast)
    const [a, b] = [await fast.run(given), await plain.run(given)]
    for (const name of Object.keys(a)) {
      const most = Math.max(...a[name].map(Math.abs))
      a[name].forEach((value, i) => {
        expect(Math.abs(value - b[name][i])).toBeLessThanOrEqual(1e-4 * most)
      })
    }
  })

  test('knows whether the engine has relaxed SIMD', () => {
    expect(WebAssembly.validate(new Uint8Array(relaxedProbe))).toBe(wasmFeatures().relaxed)
  })

  test('is small: the runtime is under 1500 bytes gzipped, whole numbers take a byte each', () => {
    expect(gzipSync(readFileSync(at('site/network.js')), { level: 9 }).length).toBeLessThan(1500)
    // 'second' is whole
    expect(statSync(at('site/network.bin')).size).toBeLessThan(4 * (16 * 27 + 16 * 9 + 16 + 80) + 16 * 16 * 9 + 200)
  })

  test('says what is wrong with its inputs', async () => {
    const model = await loaded('site/own.mjs')
    await expect(model.run({ input: [1, 2] })).rejects.toThrow("run: input 'input' has 2 values; it takes 2400, [3, 20")
    await expect(model.run({})).rejects.toThrow("run: input 'input' has no values; it takes 2400, [3, 20, 20, 2]")
  })

  test('refuses the weights of another build', async () => {
    const code = new Uint8Array(readFileSync(at('site/own.wasm')))
    await expect(start(code, weightsOf('network'))).rejects.toThrow('they are of another build')
  })

  test('has types that know its names', () => {
    const types = readFileSync(at('site/network.d.ts'), 'utf8').replace(/export (interface|function)/g, 'declare $1')
    const use = (text: string) => check(`${types}\nexport const use = async (x: Float32Array) => { ${text} }`).errors
    expect(use('const { y } = await (await load()).run({ picture: x, offset: [1] }); y.fill(0)')).toEqual([])
    expect(use('await (await load()).run({ picture: x })')[0].message).toMatch(/offset/)
  })
})

/** For each result: how many numbers, and how many of them have other bits than the library's. */
const pageText = `
import { loadModel, loadOnnx } from './library.js'
import { load as loadNetwork } from './network.js'
import { load as loadOwn } from './own.mjs'

const bytes = async (url) => new Uint8Array(await (await fetch(url)).arrayBuffer())
const valuesOf = (shape) => Float32Array.from({ length: shape.reduce((a, b) => a * b) }, (_, i) => Math.sin(i * i))

async function compare() {
  const onnx = await loadOnnx(await bytes(new URL('./network.onnx', import.meta.url)))
  const model = loadModel(await bytes(new URL('./own.safetensors', import.meta.url)))
  const network = await loadNetwork()
  const own = await loadOwn()
  const { inputs } = network
  const given = { picture: valuesOf(inputs.picture), offset: valuesOf(inputs.offset) }
  const { y, e } = await onnx.run({
    picture: { shape: inputs.picture, data: given.picture },
    offset: { shape: inputs.offset, data: given.offset },
  })
  const input = valuesOf(own.inputs.input)
  const wanted = { y: y.data, e: e.data, output: await model.predict(input, { batchSize: 3 }) }
  const results = { ...(await network.run(given)), ...(await own.run({ input })) }
  const differing = (name) => results[name].filter((value, i) => !Object.is(value, wanted[name][i])).length
  return Object.fromEntries(Object.keys(results).map((name) => [name, [wanted[name].length, differing(name)]]))
}
globalThis.compared = compare()
`

const weightsOf = (name: string) => new Uint8Array(readFileSync(at(`site/${name}.bin`)))

describe('what a build takes', () => {
  test('given values of a graph lie with the weights, and names may be any', async () => {
    const sketch: Sketch = {
      inputs: { __proto__x: [2], 'a "b"\n*/': [2] },
      weights: { w: floats([2], [0.5, -0]) },
      nodes: [
        { op: 'Add', inputs: ['__proto__x', 'w'], outputs: ['y'] },
        { op: 'Identity', inputs: ['w'], outputs: ['constructor'] },
        { op: 'Identity', inputs: ['a "b"\n*/'], outputs: ['z'] },
      ],
      outputs: ['y', 'constructor', 'z'],
    }
    writeFileSync(at('odd.onnx'), modelBytes(sketch))
    await build('odd.onnx', 'odd.js')
    const results = await (await loaded('odd.js')).run({ __proto__x: [1, 2], 'a "b"\n*/': [3, 4] })
    expect(Object.entries(results)).toEqual([
      ['y', Float32Array.of(1.5, 2)],
      ['constructor', Float32Array.of(0.5, -0)],
      ['z', Float32Array.of(3, 4)],
    ])
  })

  test.each<[string, Omit<BuildCommand, 'output'>, string]>([
    ['network.onnx', {}, "build: input 'picture' takes [N, 3, H, W]. Give its shape: --shape 'picture=1x3x224x224'"],
    ['network.onnx', { shape: new Map([['x', [1]]]) }, "build: --shape of 'x'. Inputs are picture, offset"],
    ['network.onnx', { shape: new Map([['', [1]]]) }, 'build: --shape of no input by name. Inputs are picture, offset'],
    [
      'network.onnx',
      { shape: new Map([['picture', [1, 4, 9, 9]]]) },
      "build: --shape [1, 4, 9, 9] of 'picture', which takes [N, 3, H, W]",
    ],
    [
      'own.safetensors',
      { shape: new Map([['', [1]]]) },
      'build: --shape, but the model takes [20, 20, 2]. Leave it out',
    ],
    ['fixed.onnx', { batch: 2 }, 'build: --batch 2, but no input has its first axis open. Leave --batch out'],
    ['places.onnx', {}, "onnx: NonZero 'found' is computed beside programs. This takes the library"],
    ['none.onnx', {}, 'none.onnx'],
    ['none.safetensors', {}, 'build: '],
  ])('%s with %o is refused', async (name, asked, message) => {
    const one = { inputs: { x: [1, 4] }, outputs: ['found'] }
    writeFileSync(at('fixed.onnx'), modelBytes({ ...one, nodes: [{ op: 'Relu', inputs: ['x'], outputs: ['found'] }] }))
    writeFileSync(
      at('places.onnx'),
      modelBytes({ ...one, nodes: [{ op: 'NonZero', inputs: ['x'], outputs: ['found'] }] }),
    )
    await expect(build(name, 'refused.js', asked)).rejects.toThrow(message)
  })

  test('the name of a module', async () => {
    await expect(build('own.safetensors', 'own.txt')).rejects.toThrow('Give a name of letters, digits, - and _ that')
  })
})

describe.skipIf(chromium === undefined)('in a page', () => {
  /** Runs a built model and the library on a page, given the same values. */
  async function comparePage(site: string) {
    const served = await serveSite(site, 0, false)
    const browser = await launcher.launch(launchOptions)
    try {
      const page = await browser.newPage()
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(error.message))
      await page.goto(served.url)
      const compared = await page.evaluate(() => (globalThis as unknown as { compared: unknown }).compared)
      expect(compared).toEqual({ y: [10, 0], e: [2 * 16 * 24 * 20, 0], output: [12, 0] })
      expect(faults).toEqual([])
    } finally {
      await browser.close()
      await served.close()
    }
  }

  beforeAll(async () => {
    writeFileSync(
      at('site/index.html'),
      '<!doctype html><title>Built</title><script type="module" src="./page.js"></script>',
    )
    for (const name of ['network.onnx', 'own.safetensors']) copyFileSync(at(name), at(`site/${name}`))
    writeFileSync(
      at('library.js'),
      `export { loadOnnx } from '${root}src/formats/index.ts'\nexport { loadModel } from '${root}src/nn/index.ts'\n`,
    )
    const lib = { entry: at('library.js'), formats: ['es' as const], fileName: 'library' }
    const build = { outDir: at('site'), emptyOutDir: false, lib, target: 'es2022', minify: false }
    await bundle({ root, configFile: false, logLevel: 'error', build })
    writeFileSync(at('site/page.js'), pageText)
  })

  test('as files, with nothing else but a page', async () => {
    await comparePage(at('site'))
  })

  test('through a bundler', async () => {
    const build = { outDir: at('bundled'), assetsInlineLimit: 0, emptyOutDir: true, target: 'es2022' }
    await bundle({ root: at('site'), configFile: false, logLevel: 'error', build })
    await comparePage(at('bundled'))
  })
})
