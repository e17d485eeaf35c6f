import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { isMet, type Measure, reportText, tableLines } from '../../../src/cli/reproduce/report.ts'
import { systems } from '../../../src/cli/reproduce/systems.ts'
import { reproduceCommand } from '../../../src/cli/reproduce.ts'
import type { Terminal } from '../../../src/cli/terminal.ts'
import { decodeImage } from '../../../src/data/index.ts'
import { readSafetensors } from '../../../src/nn/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-reproduce-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const printed: string[] = []
const terminal: Terminal = {
  print: (line = '') => void printed.push(line),
  note: () => {},
  interactive: false,
  greys: false,
  columns: 80,
}

describe('every system, quickly', () => {
  test.each(Object.keys(systems))('%s meets its targets and writes its report', async (name) => {
    printed.length = 0
    const out = join(folder, name)
    const code = await reproduceCommand(name, { quick: true, out }, terminal)
    expect(code, printed.join('\n')).toBe(0)
    const report = readFileSync(join(out, 'report.md'), 'utf8')
    expect(report).toContain(`# ${systems[name]!.about}`)
    expect(report).toContain(`fovea reproduce ${name} --quick`)
    for (const file of readdirSync(out)) {
      if (file !== 'report.md') expect(report).toContain(file)
      const bytes = readFileSync(join(out, file))
      if (file.endsWith('.png')) expect((await decodeImage(bytes)).width).toBeGreaterThan(16)
      if (file.endsWith('.svg')) expect(bytes.toString()).toMatch(/^<svg [\s\S]*<\/svg>\s*$/)
      if (file.endsWith('.safetensors')) expect(readSafetensors(bytes).tensors.size).toBeGreaterThan(0)
    }
  })
})

test('Ctrl-C ends it and says that nothing is kept', async () => {
  const exit = vi.spyOn(process, 'exit').mockImplementation(() => undefined as never)
  const notes: string[] = []
  const run = reproduceCommand('cells', { out: join(folder, 'stopped') }, { ...terminal, note: (s) => notes.push(s) })
  process.emit('SIGINT')
  await run
  expect(exit).toHaveBeenCalledExactlyOnceWith(130)
  expect(notes.join('')).toContain('nothing is kept')
  expect(process.listeners('SIGINT').some(({ name }) => name.includes('stop'))).toBe(false)
  exit.mockRestore()
})

describe('measures', () => {
  const measure: Measure = { name: 'rate', value: 0.5, atLeast: 0.4, atMost: 0.6, paper: '0.7' }

  test('are held against both bounds', () => {
    expect(isMet(measure)).toBe(true)
    expect(isMet({ ...measure, value: 0.39 })).toBe(false)
    expect(isMet({ ...measure, value: 0.61 })).toBe(false)
    expect(isMet({ ...measure, value: Number.NaN })).toBe(false)
    expect(isMet({ name: 'free', value: 3 })).toBe(true)
    expect(isMet({ name: 'free', value: Number.NaN })).toBe(false)
  })

  test('stand in a table that names what was missed', () => {
    const lines = tableLines([measure, { name: 'other', value: 1, atLeast: 2 }])
    expect(lines).toEqual([
      'measure  target            paper  result',
      'rate     >= 0.40, <= 0.60  0.7    0.50',
      'other    >= 2.00                  1.00 MISSED',
    ])
    expect(tableLines([])).toEqual([])
  })

  test('a report shows pictures, links weights', () => {
    const files = [
      { name: 'a.png', caption: 'a picture', content: '' },
      { name: 'b.safetensors', caption: 'weights', content: '' },
    ]
    const origin = { title: 'A system', command: 'fovea x', date: '2026-01-01', machine: 'm', seconds: 3.2 }
    const text = reportText({ measures: [{ name: 'a|b', value: 1 }], lines: ['more'], files }, origin)
    expect(text).toContain('# A system\n\n`fovea x`, 2026-01-01, 3 s on m\n')
    expect(text).toContain('| a\\|b |  |  | 1.00 |')
    expect(text).toContain('```text\nmore\n```')
    expect(text).toContain('![a picture](a.png)')
    expect(text).toContain('[b.safetensors](b.safetensors): weights')
  })
})
