import { describe, expect, test } from 'vitest'
import { colours, entryOf, inkOn, luminance, panel, position, type Rgb, steps } from '../../explorer/shared/colour.ts'
import { counted, decimals, full, short, spoken } from '../../explorer/shared/numbers.ts'

const contrast = (a: Rgb, b: Rgb) => {
  const [x, y] = [luminance(a), luminance(b)]
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05)
}

describe.each(['light', 'dark'] as const)('signed colours, %s', (theme) => {
  const table = colours('signed', theme)

  test('zero is the panel, the ends are the strongest', () => {
    expect(table[steps / 2]).toEqual(panel(theme))
    expect(table[steps - 1]).toEqual(theme === 'light' ? [0, 83, 165] : [128, 197, 255])
    expect(table[1]).toEqual(theme === 'light' ? [135, 61, 0] : [255, 166, 88])
  })

  test('lightness says the magnitude: one way only, and about the same for both signs', () => {
    for (let i = 1; i < steps / 2; i++) {
      const [near, far] = [luminance(table[steps / 2 + i - 1]!), luminance(table[steps / 2 + i]!)]
      const drift = theme === 'light' ? near - far : far - near
      expect(drift).toBeGreaterThanOrEqual(-0.002)
      expect(contrast(table[steps / 2 + i]!, table[steps / 2 - i]!)).toBeLessThan(1.35)
    }
  })

  test('numbers on any cell have a contrast of 4.5 or more', () => {
    for (const colour of [...table, ...colours('heat', theme), ...colours('grey', theme)])
      expect(contrast(colour, inkOn(colour) === '#000' ? [0, 0, 0] : [255, 255, 255])).toBeGreaterThanOrEqual(4.5)
  })
})

test('values and entries of the table', () => {
  expect([entryOf(0, 2), entryOf(2, 2), entryOf(-2, 2), entryOf(9, 2)]).toEqual([256, 511, 1, 511])
  expect([position(256), position(511), position(1)]).toEqual([0, 1, -1])
})

test('numbers as cells, readouts and screen readers show them', () => {
  expect([0, -0, 1, -3.5, 0.125, 12.34, 123.4, 123456, 0.00001].map(short)).toEqual([
    '0',
    '0',
    '1',
    '\u22123.5',
    '0.13',
    '12.3',
    '123',
    '1.2e5',
    '1.0e\u22125',
  ])
  expect([decimals(-0.0001), decimals(2.5), spoken(-3.5), full(0.1)]).toEqual(['0', '2.5', 'minus 3.5', '0.1'])
  expect([counted(999), counted(73728), counted(231_211_008)]).toEqual(['999', '73.7\u202fk', '231.2\u202fM'])
})
