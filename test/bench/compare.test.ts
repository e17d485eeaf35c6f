import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { type Answer, cases, quantitiesOf } from '../../bench/compare/cases.ts'
import { foveaAnswer, judge } from '../../bench/compare/judge.ts'
import { type Row, summary, tables, verdicts } from '../../bench/compare/page.ts'

const byId = (id: string) => cases.find((item) => item.id === id)!

describe('compare', () => {
  test('names of rows are unique, and each is in docs/compared.md', () => {
    const page = readFileSync(new URL('../../docs/compared.md', import.meta.url), 'utf8')
    expect(new Set(cases.map(({ id }) => id)).size).toBe(cases.length)
    expect(cases.map(({ id }) => id).filter((id) => !page.includes(`| \`${id}\` |`))).toEqual([])
  })

  test('what tfjs computes wrongly or leaves out has a row each', () => {
    const faults = [
      ...['pad2d-reflect', 'pad2d-symmetric', 'averagePool2d-same', 'nearest2d-double', 'bilinear-half-pixel'],
      ...['conv3d', 'maxPool2d-negative', 'conv2d-number-3x5', 'layer-conv2d-groups', 'layer-convTranspose2d-dilated'],
      ...['layer-convTranspose2d-output-padding', 'conv2d-dilated', 'conv2d'],
    ]
    expect(faults.filter((id) => !byId(id))).toEqual([])
  })

  test.each(cases)('fovea is right: $id', async (item) => {
    const found = verdicts(item, judge(item), await foveaAnswer(item))
    expect([...found.keys()]).toEqual(quantitiesOf(item))
    for (const verdict of found.values()) expect(verdict).toEqual({ kind: 'right' })
  })

  test('a wrong number, a wrong shape, NaN and nothing at all are told apart', () => {
    const item = byId('conv2d')
    const judged = judge(item)
    const y = Float32Array.from(judged.get('value')!)
    const of = (value: Answer['value']) => verdicts(item, judged, value ? { value } : {}).get('value')
    expect(of({ values: y })).toEqual({ kind: 'right' })
    expect(of({ values: y.map((v, i) => (i === 7 ? v + 0.1 : v)) })?.note).toMatch(/^off by 0\.0/)
    expect(of({ values: y.map((v, i) => (i === 7 ? Number.NaN : v)) })?.note).toBe('off by not numbers')
    expect(of({ values: y.subarray(1) })?.kind).toBe('wrong')
    expect(of({ missing: 'no groups' })).toEqual({ kind: 'missing', note: 'no groups' })
    expect(of({ missing: 'wrong: its kernel is [3]' })).toEqual({ kind: 'wrong', note: 'its kernel is [3]' })
    expect(of(undefined)?.kind).toBe('missing')
    const rows: Row[] = [{ item, cells: [verdicts(item, judged, { value: { values: y.subarray(1) } })] }]
    expect(tables(['theirs'], rows)).toContain('| **wrong: y** |')
    expect(summary(['theirs'], rows)).toContain('| theirs | 0 | 0 | 0 | 0 | 1 | 3 |')
  })
})
