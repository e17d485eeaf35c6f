import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { conformanceCommand } from '../../src/cli/conformance/command.ts'
import { tensorTable, writeMessage } from '../../src/formats/onnx/proto.ts'
import { tensorMessage } from '../../src/formats/onnx/tensors.ts'
import { floats, modelBytes, type Sketch } from '../formats/onnx-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-conformance-'))
afterAll(() => rmSync(folder, { recursive: true }))

/** A case of one input x = [1, -2] and the outputs that are expected. */
function write(name: string, sketch: Sketch, expected: readonly number[]): void {
  const set = join(folder, name, 'test_data_set_0')
  mkdirSync(set, { recursive: true })
  writeFileSync(join(folder, name, 'model.onnx'), modelBytes(sketch))
  const file = (kind: string, values: readonly number[]) =>
    writeFileSync(join(set, `${kind}_0.pb`), writeMessage(tensorTable, tensorMessage(kind, floats([2], values))))
  file('input', [1, -2])
  file('output', expected)
}

const one = (op: string): Sketch => ({ nodes: [{ op, inputs: ['x'] }], inputs: { x: [2] } })
write('test_relu', one('Relu'), [1, 0])
write('test_neg', one('Neg'), [-1, 2.1])
write('test_dft', one('DFT'), [0, 1])
write('test_old', { ...one('Relu'), opset: 5 }, [1, 0])

test('passes, fails and skips by name, in a table and as JSON', async () => {
  const lines: string[] = []
  const json = join(folder, 'out.json')
  expect(await conformanceCommand(folder, { json }, (line) => lines.push(line))).toBe(false)
  const text = lines.join('\n')
  expect(lines.at(-1)).toBe('1 passed, 1 failed')
  expect(text).toContain('| relu | 1 | 0 | 0 | 0.0 |')
  expect(text).toMatch(/Failed:\n\n- test_neg: output 'y': a value is 47\.6 tolerances off\n/)
  expect(text).toContain("- test_dft: loadOnnx: 1 of 1 nodes aren't supported: DFT 'y'.")
  const report = JSON.parse(readFileSync(json, 'utf8'))
  expect(report).toMatchObject({ passed: 1, failed: 1, skipped: 2 })
  expect(report.cases.map((entry: { name: string; result: string }) => [entry.name, entry.result])).toEqual([
    ['test_dft', 'skipped'],
    ['test_neg', 'failed'],
    ['test_old', 'skipped'],
    ['test_relu', 'passed'],
  ])
})

test('a folder that is not there, or holds nothing, is an error', async () => {
  const run = (path: string) => conformanceCommand(path, {}, () => {})
  await expect(run(join(folder, 'none'))).rejects.toThrow(/^conformance: there is no folder .*libonnx-testdata has one/)
  await expect(run(join(folder, 'test_relu', 'test_data_set_0'))).rejects.toThrow(/holds no cases/)
})

/** Onnxruntime differs from these as well: their values come of a size that isn't rounded. */
const disputed = [
  'test_resize_downsample_scales_cubic_align_corners',
  'test_resize_downsample_scales_linear_align_corners',
]
const data = process.env.FOVEA_DATA && join(process.env.FOVEA_DATA, 'onnx-public')
const present = data !== undefined && existsSync(data)
if (!present)
  console.log("SKIPPED: ONNX's own cases, because there is no onnx-public in FOVEA_DATA. npm run conformance -- --help")

test.skipIf(!present)(
  "ONNX's own cases",
  async () => {
    const json = join(folder, 'onnx.json')
    await conformanceCommand(data as string, { json }, () => {})
    const { cases } = JSON.parse(readFileSync(json, 'utf8')) as { cases: { name: string; result: string }[] }
    expect(cases.flatMap(({ name, result }) => (result === 'failed' ? [name] : []))).toEqual(disputed)
  },
  300_000,
)
