import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { passes, shareOf } from '../../src/cli/golden/check.ts'
import { goldenCommand, targets } from '../../src/cli/golden/command.ts'
import { type Case, readFolder } from '../../src/cli/golden/folder.ts'
import { groupOf, type Outcome, runCase, worstOf } from '../../src/cli/golden/run.ts'

const path = new URL('data', import.meta.url).pathname
const folder = readFolder(path)
const named = (id: string) => folder.cases.find((item) => item.id === id)!

/** `item` with some of its parts replaced. */
const changed = (item: Case, parts: Partial<Case>): Case => ({ ...item, ...parts })

/** `item` with the first value of a tensor changed. */
function tampered(item: Case, tensor: string, change: (value: number) => number): Case {
  const stored = item.tensors.get(tensor)!
  const data = stored.data.slice()
  data[0] = change(data[0]!)
  return changed(item, { tensors: new Map([...item.tensors, [tensor, { ...stored, data }]]) })
}

const wrongTensors = ({ checks }: Outcome) => checks.filter((check) => !passes(check)).map(({ tensor }) => tensor)

describe('every case of the golden vectors', () => {
  test.each(targets)('%s', { timeout: 300_000 }, async (target) => {
    const outcomes: Outcome[] = []
    for (const item of folder.cases) outcomes.push(await runCase(item, folder, target))
    const { outcome, check } = worstOf(outcomes)!
    console.log(`golden, ${target}: worst ${outcome.id} ${check.tensor}, ${shareOf(check).toFixed(3)} of its bound`)
    const others = outcomes.filter(({ status }) => status !== 'passed')
    expect(others.map((other) => [other.id, other.status, other.message, wrongTensors(other)])).toEqual([])
    const groups = new Set(outcomes.map(({ group }) => group))
    expect(groups).toEqual(new Set(['conv', 'convTranspose', 'layers', 'optim', 'nets']))
  })
})

describe('a wrong value fails', () => {
  const cases: [id: string, tensor: string][] = [
    ['conv2d-010', 'y'],
    ['conv2d-010', 'gx'],
    ['conv3d-005', 'gw'],
    ['convTranspose2d-003', 'gw'],
    ['batchNormTrain-003', 'newVar'],
    ['crossEntropy-001', 'y'],
    ['optim-06', 'params'],
    ['net-mobile', 'y0'],
    ['net-mobile', 'grad0:dw.w'],
    ['net-mobile', 'finalStat:n1.var'],
    ['net-autoencoder', 'final:d1.w'],
  ]
  test.each(cases)('%s %s', async (id, tensor) => {
    const outcome = await runCase(
      tampered(named(id), tensor, (value) => value * 1.001 + 1e-3),
      folder,
      'wasm',
    )
    expect([outcome.status, wrongTensors(outcome)]).toEqual(['failed', [tensor]])
  })

  test('in the losses of a network', async () => {
    const item = named('net-lenet')
    const losses = [...(item.fields.losses as number[])]
    losses[5]! += 1e-3
    const outcome = await runCase(changed(item, { fields: { ...item.fields, losses } }), folder, 'wasm')
    expect(wrongTensors(outcome)).toEqual(['losses'])
  })

  test('not a number', async () => {
    const outcome = await runCase(
      tampered(named('relu-001'), 'y', () => Number.NaN),
      folder,
      'wasm',
    )
    expect(wrongTensors(outcome)).toEqual(['y'])
  })

  test('a tensor that nothing computes', async () => {
    const item = named('relu-001')
    const tensors = new Map([...item.tensors, ['extra', item.tensors.get('y')!]])
    const outcome = await runCase(changed(item, { tensors }), folder, 'wasm')
    expect([outcome.status, wrongTensors(outcome)]).toEqual(['failed', ['extra']])
  })

  test('a tensor that is missing', async () => {
    const item = named('conv1d-001')
    const tensors = new Map([...item.tensors].filter(([name]) => name !== 'w'))
    const outcome = await runCase(changed(item, { tensors }), folder, 'wasm')
    expect(outcome.message).toBe("golden: conv1d-001 has no tensor 'w'. See FORMAT.md.")
  })

  test('an attribute that is missing', async () => {
    const item = named('groupNorm-001')
    const outcome = await runCase(changed(item, { fields: { ...item.fields, groups: undefined } }), folder, 'wasm')
    expect(outcome.message).toBe("golden: 'groups' of groupNorm-001 is undefined. It must be a number.")
  })
})

describe('what fovea lacks is counted apart', () => {
  const layers = (type: string) => ({ ...named('net-lenet').fields, layers: [{ type }] })
  test.each([
    ['an operation', changed(named('relu-001'), { op: 'fourier' }), "operation 'fourier'"],
    ['an optimiser', changed(named('optim-01'), { op: 'lbfgs' }), "optimiser 'lbfgs'"],
    ['a layer', changed(named('net-lenet'), { fields: layers('lstm') }), "layer 'lstm'"],
  ])('%s', async (_, item, message) => {
    expect(await runCase(item, folder, 'wasm')).toMatchObject({ status: 'not supported', message, checks: [] })
  })
})

describe('command', () => {
  let temporary = ''
  beforeAll(() => {
    temporary = mkdtempSync(join(tmpdir(), 'golden-'))
  })
  afterAll(() => rmSync(temporary, { recursive: true }))

  const lines = readFileSync(join(path, 'cases.jsonl'), 'utf8').trim().split('\n')
  const chosen = lines.slice(0, 2)
  const bytes = readFileSync(join(path, 'data.bin'))
  function write(cases: readonly string[], data: Uint8Array = bytes, meta: object = {}): string {
    writeFileSync(join(temporary, 'cases.jsonl'), cases.join('\n'))
    writeFileSync(join(temporary, 'data.bin'), data)
    writeFileSync(join(temporary, 'meta.json'), JSON.stringify(meta))
    return temporary
  }
  const ignore = () => {}

  test('prints a table and writes the report', async () => {
    const printed: string[] = []
    const json = join(temporary, 'report.json')
    expect(await goldenCommand(write(chosen), { json }, (line) => printed.push(line))).toBe(true)
    expect(printed.at(-1)).toBe('6 passed, 0 failed, 0 not supported')
    const report = JSON.parse(readFileSync(json, 'utf8'))
    expect(report).toMatchObject({ passed: 6, failed: 0, targets: { wasm: { groups: { conv: { passed: 2 } } } } })
    expect(report.cases[0].checks[0]).toMatchObject({ tensor: 'y', bound: expect.any(Number) })
  })

  test('fails if a case fails, and names it', async () => {
    const printed: string[] = []
    const wrong = bytes.slice()
    wrong.writeFloatLE(7, 10 * 4)
    const right = await goldenCommand(write(chosen, wrong), { target: ['wasm'] }, (line) => printed.push(line))
    expect(right).toBe(false)
    expect(printed[0]).toMatch(/^failed {2}wasm {2}conv1d-001 {2}y off by .*, bound /)
    expect(printed.at(-1)).toBe('1 passed, 1 failed, 0 not supported')
  })

  const first = JSON.parse(chosen[0]!)
  const without = (name: string) => JSON.stringify({ ...first, [name]: undefined })
  const withX = (x: unknown) => JSON.stringify({ ...first, tensors: { ...first.tensors, x } })
  test.each([
    ['no JSON', ['{'], bytes, /^golden: line 1 of cases.jsonl isn't JSON: .* Copy the folder again\.$/],
    ['no object', ['', '3'], bytes, "golden: line 2 of cases.jsonl isn't an object. See FORMAT.md."],
    ['no op', [without('op')], bytes, "golden: line 1 of cases.jsonl has no 'op'. See FORMAT.md."],
    ['no tensors', [without('tensors')], bytes, "golden: line 1 of cases.jsonl has no 'tensors'. See FORMAT.md."],
    ['tensor', [withX(3)], bytes, "golden: tensor 'x' of conv1d-001 isn't {shape, off}. See FORMAT.md."],
    ['shape', [withX({ shape: [0], off: 0 })], bytes, /has shape \[0\]\. Give whole sizes >= 1\.$/],
    ['short data', [withX({ shape: [8], off: 2 })], bytes.subarray(0, 20), /at 2 leaves data.bin, which holds 5/],
    ['half a number', chosen, bytes.subarray(0, 5), /^golden: data.bin holds 5 bytes/],
    ['no cases', [], bytes, /holds no cases\. Copy the folder again\.$/],
  ])('malformed: %s', async (_, cases, data, message) => {
    await expect(goldenCommand(write(cases, data), {}, ignore)).rejects.toThrow(message)
  })

  test('says if cases are missing', async () => {
    const printed: string[] = []
    await goldenCommand(write(chosen, bytes, { cases: 3 }), { target: ['wasm'] }, (line) => printed.push(line))
    expect(printed.at(-1)).toBe('Note: cases.jsonl holds 2 cases, meta.json says 3.')
  })

  test('a report that cannot be written', async () => {
    const options = { target: ['wasm'] as const, json: join(temporary, 'nowhere', 'report.json') }
    await expect(goldenCommand(write(chosen), options, ignore)).rejects.toThrow(
      /^golden: the report can't be written: .* Give --json a path that can be written\.$/,
    )
  })

  test('a folder that is missing', async () => {
    await expect(goldenCommand(join(temporary, 'nowhere'), {}, ignore)).rejects.toThrow(
      /^golden: there is no file .*cases\.jsonl\. Give a folder with cases\.jsonl and data\.bin\.$/,
    )
  })
})

test('convTranspose is a group of its own', () => {
  expect(groupOf(named('convTranspose1d-001'))).toBe('convTranspose')
})
