import { expect, test } from 'vitest'
import { columnChart, lineChart } from '../../../src/cli/reproduce/chart.ts'

const texts = { title: 'a < b & c', x: 'epoch', y: 'rate' }
const numbers = (pattern: RegExp, svg: string) => [...svg.matchAll(pattern)].map((match) => Number(match[1]))

test('curves rise where values rise, and words are escaped', () => {
  const curves = [
    {
      name: 'up',
      points: [
        [1, 0.1],
        [2, 0.5],
      ] as const,
    },
    {
      name: 'down',
      points: [
        [1, 0.5],
        [2, 0.1],
      ] as const,
    },
  ]
  const svg = lineChart(texts, curves)
  const paths = [...svg.matchAll(/d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)"/g)].map((match) =>
    match.slice(1).map(Number),
  )
  expect(paths).toHaveLength(2)
  expect(paths[0]![3]).toBeLessThan(paths[0]![1]!)
  expect(paths[1]![3]).toBeGreaterThan(paths[1]![1]!)
  expect(svg).toContain('a &lt; b &amp; c')
  expect(svg).toContain('>up</text>')
  expect(svg).not.toContain('NaN')
})

test('columns are as high as their values, from one line', () => {
  const groups = [{ name: 'counts', values: [1, 2, 0] }]
  const svg = columnChart(texts, ['a', 'b', 'c'], groups)
  const heights = numbers(
    /height="([\d.]+)" fill="#0072b2"/g,
    svg.replace(/<rect x="[\d.]+" y="\d+" width="12".*?\/>/g, ''),
  )
  expect(heights).toHaveLength(3)
  expect(heights[1]).toBeCloseTo(2 * heights[0]!, 0)
  expect(heights[2]).toBe(0)
})
