// `fovea convert` between all kinds of files, in a folder of its own.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { type ConvertCommand, convertCommand } from '../../src/cli/convert.ts'
import { loadOnnx } from '../../src/formats/index.ts'
import { mobilenet } from '../../src/models/index.ts'
import {
  averagePool2d,
  conv2d,
  dense,
  flatten,
  loadModelFile,
  readSafetensors,
  sequential,
} from '../../src/nn/index.ts'
import { graphCases, graphFiles } from '../formats/tfjs/graph-cases.ts'
import { normals } from '../nn/layer-check.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-convert-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

const printed: string[] = []
const terminal = {
  print: (line = '') => void printed.push(line),
  note: () => {},
  interactive: false,
  greys: false,
  columns: 80,
}
const convert = (from: string, to: string, asked: ConvertCommand = {}) =>
  convertCommand(at(from), at(to), asked, terminal)

const net = sequential([6, 6, 2], [conv2d(4, 3, { activation: 'relu' }), averagePool2d(2), flatten(), dense(3)])
const x = Float32Array.from(normals(3, 2 * 72))

describe('fovea convert', () => {
  test('goes from kind to kind and back to the same weights', async () => {
    await net.save(at('a.safetensors'))
    const files = ['a.safetensors', 'b.keras', 'model.json', 'c.safetensors']
    for (const [i, to] of files.slice(1).entries()) expect(await convert(files[i]!, to)).toBe(0)
    const back = await loadModelFile(at('c.safetensors'))
    expect(back.parameters.map((v) => v.read())).toEqual(net.parameters.map((v) => v.read()))
    expect(await back.predict(x)).toEqual(await net.predict(x))
    expect(printed.at(-1)).toMatch(/c\.safetensors: .*, 127 parameters$/)
  })

  test('writes ONNX of a model and of a graph', async () => {
    await net.save(at('d.safetensors'))
    await convert('d.safetensors', 'd.onnx')
    expect((await loadOnnx(at('d.onnx'))).countParameters()).toBeGreaterThanOrEqual(127)
    const files = graphFiles(graphCases[0]!)
    for (const [name, bytes] of Object.entries(files)) writeFileSync(at(name), bytes)
    expect(await convert('model.json', 'graph.onnx')).toBe(0)
    expect((await loadOnnx(at('graph.onnx'))).graph.nodes.length).toBeGreaterThan(0)
    await expect(convert('model.json', 'graph.keras')).rejects.toThrow(
      /is a graph of operations, which has no layers. Convert it to .onnx.$/,
    )
  })

  test("takes weights by other libraries' names and writes them so", { timeout: 180_000 }, async () => {
    await mobilenet({ classes: 1000, inputShape: [32, 32, 3] }).save(at('own.safetensors'))
    await convert('own.safetensors', 'timm.safetensors', { network: 'mobilenet', names: 'timm' })
    const { tensors } = readSafetensors(readFileSync(at('timm.safetensors')))
    expect(tensors.get('conv_stem.weight')?.shape).toEqual([32, 3, 3, 3])
    await convert('timm.safetensors', 'read.safetensors', { network: 'mobilenet' })
    await convert('read.safetensors', 'again.safetensors', { network: 'mobilenet', names: 'timm' })
    expect(readFileSync(at('again.safetensors')).equals(readFileSync(at('timm.safetensors')))).toBe(true)
  })

  test('says what is not possible', async () => {
    await net.save(at('e.safetensors'))
    writeFileSync(at('e.onnx'), 'x')
    writeFileSync(at('e.txt'), 'x')
    const of = (from: string, to: string, asked?: ConvertCommand) => expect(convert(from, to, asked)).rejects
    await of('e.onnx', 'model.json').toThrow(/is a graph of operations, which has no layers. Other commands take it/)
    await of('e.txt', 'e.onnx').toThrow(/isn't of a known kind. Give model.json, .keras, .h5 or .safetensors.$/)
    await of('none.keras', 'e.onnx').toThrow(/there is no file .*none.keras. Give a model's file.$/)
    await of('e.safetensors', 'e.tfjs').toThrow(/e.tfjs isn't of a known kind. Give model.json \(tfjs\), .onnx/)
    await of('e.safetensors', 'other.json').toThrow(/isn't called model.json. Call it model.json.$/)
    await of('e.safetensors', 'e.keras', { names: 'keras' }).toThrow(/Names of other libraries are for .safetensors.$/)
    await of('e.safetensors', 'f.safetensors', { network: 'lenet5', names: 'keras' }).toThrow(
      /there are no names 'keras' for 'lenet5'/,
    )
  })
})
