import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encode } from 'fast-png'
import { afterAll, expect, test } from 'vitest'
import { explainCommand } from '../../src/cli/explain.ts'
import { predictCommand } from '../../src/cli/predict.ts'
import { readLabels } from '../../src/cli/predict-onnx.ts'
import { floats, modelBytes, type Sketch } from '../formats/onnx-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-predict-'))
afterAll(() => rmSync(folder, { recursive: true }))
const at = (name: string) => join(folder, name)

// four pixels: red, red, green, blue
const pixels = [255, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255]
writeFileSync(at('four.png'), encode({ width: 2, height: 2, channels: 3, data: Uint8Array.from(pixels) }))
writeFileSync(at('names.txt'), 'red\ngreen\nblue\n')

async function printed(sketch: Sketch, options: Parameters<typeof predictCommand>[2] = {}): Promise<string[]> {
  writeFileSync(at('model.onnx'), modelBytes(sketch))
  const lines: string[] = []
  const print = (line = '') => lines.push(line.trimEnd())
  const terminal = { print, note: print, interactive: false, greys: false, columns: 80 }
  await predictCommand(at('model.onnx'), [at('four.png')], { labels: at('names.txt'), ...options }, terminal)
  return lines.slice(1)
}

const inputs = { x: ['N', 3, 'H', 'W'] }

test('classes of a picture, the most probable first', async () => {
  const mean: Sketch = { nodes: [{ op: 'GlobalAveragePool', inputs: ['x'] }], inputs }
  expect(await printed(mean)).toEqual([
    '  red    50.0% ███████████████',
    '  green  25.0% ████████',
    '  blue   25.0% ████████',
  ])
  const other = await printed(mean, { bgr: true, top: 1 })
  expect(other).toEqual(['  blue  50.0% ███████████████'])
  const [first] = await printed(mean, { mean: [127.5, 0, 0], std: [1], top: 1 })
  expect(first).toBe('  green  50.0% ███████████████')
})

test('channels last, and the class of each pixel as a mask', async () => {
  const first = { op: 'Transpose', inputs: ['x'], attributes: { perm: [0, 3, 1, 2] } }
  const lines = await printed({ nodes: [first], inputs: { x: [1, 2, 2, 3] } })
  expect(lines.slice(-3)).toEqual([
    '  red               50.0%',
    '  green             25.0%',
    '  blue              25.0%',
  ])
})

test('a model that takes no picture is refused with what it takes', async () => {
  const rows: Sketch = {
    nodes: [{ op: 'Add', inputs: ['x', 'w'] }],
    inputs: { x: [1, 4] },
    weights: { w: floats([], [1]) },
  }
  await expect(printed(rows)).rejects.toThrow('predict: the model takes x [1, 4]. Give a model that takes one picture')
})

test('explain prints each step of the program', async () => {
  const nodes = [
    { op: 'Conv', inputs: ['x', 'w'], outputs: ['c'] },
    { op: 'Relu', inputs: ['c'] },
  ]
  const weights = { w: floats([2, 3, 1, 1], [1, 2, 3, 4, 5, 6]) }
  writeFileSync(at('conv.onnx'), modelBytes({ nodes, inputs: { x: ['N', 3, 4, 4] }, weights }))
  const lines: string[] = []
  const print = (line = '') => lines.push(line)
  const terminal = { print, note: print, interactive: false, greys: false, columns: 80 }
  await explainCommand(at('conv.onnx'), { batchSize: 2 }, terminal)
  expect(lines[0]).toBe('x: [2, 3, 4, 4]')
  expect(lines[1]).toMatch(/^6 parameters, opset 17, 3 steps, \d+ bytes of memory$/)
  expect(lines.filter((line) => /^output \+ max +\[2, 4, 4, 2\] .*pointwise: /.test(line))).toHaveLength(1)
  lines.length = 0
  await explainCommand(at('conv.onnx'), { json: true, time: true }, terminal)
  const { steps } = JSON.parse(lines.slice(1).join('\n'))
  expect(steps[1]).toMatchObject({ algorithm: 'pointwise', shape: [1, 4, 4, 2], milliseconds: expect.any(Number) })
})

test('labels are lines, a JSON list or a JSON object', () => {
  writeFileSync(at('list.json'), '["a", "b"]')
  writeFileSync(at('object.json'), '{"1": "b", "0": "a"}')
  writeFileSync(at('broken.json'), '[')
  for (const name of ['list.json', 'object.json']) expect(readLabels(at(name))).toEqual(['a', 'b'])
  expect(() => readLabels(at('broken.json'))).toThrow("aren't JSON. Give a list of names")
  expect(() => readLabels(at('none'))).toThrow(/^predict: labels .* can't be read/)
})
