import { readdirSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { show } from '../../explorer/history/show.ts'
import { history } from '../../explorer/history/state.ts'
import { systemIds } from '../../explorer/history/systems.ts'
import { load } from './pages/history.ts'

const at = (fragment: string) => show(history.read(fragment).state, load)

/** Sum of each tile of a view. */
function sumsOf(frame: Awaited<ReturnType<typeof at>>, name: string): number[] {
  const { values, columns, tiles } = frame.views.find((view) => view.name === name)!
  const { rows, columns: wide, across, count } = tiles!
  return Array.from({ length: count }, (_, k) => {
    let sum = 0
    for (let i = 0; i < rows * wide; i++)
      sum +=
        values[
          (Math.floor(k / across) * (rows + 1) + Math.floor(i / wide)) * columns +
            (k % across) * (wide + 1) +
            (i % wide)
        ]!
    return sum
  })
}

describe('history', () => {
  test('every system shows something, with facts', async () => {
    for (const e of systemIds) {
      const { views, facts, problem } = await at(`e=${e}`)
      expect(problem, e).toBeUndefined()
      expect(views.length, e).toBeGreaterThan(0)
      expect(facts.length, e).toBeGreaterThan(1)
      expect(new Set(views.map(({ name }) => name)).size, e).toBe(views.length)
    }
  })

  test('the complex cell of the bar’s direction answers most', async () => {
    for (const [angle, cell] of [
      [0, 4],
      [45, 6],
      [90, 0],
      [135, 2],
    ]) {
      const sums = sumsOf(await at(`a=${angle}`), 'complex')
      expect(sums.indexOf(Math.max(...sums)), `${angle} degrees`).toBe(cell)
    }
  })

  test('the neocognitron knows each digit, also moved', async () => {
    for (let d = 0; d < 5; d++)
      for (const moved of ['', '&x=1&y=-1', '&x=-2'])
        expect((await at(`e=neocognitron&d=${d}${moved}`)).answer!.text, `${d}${moved}`).toContain(`that of the ${d}`)
  })

  test('LeNet-5 reads the samples', async () => {
    let right = 0
    for (let d = 0; d < 20; d++) {
      const [, guess, digit] = /that of (\d), at .*; the digit is a (\d)/.exec(
        (await at(`e=lenet5&d=${d}`)).answer!.text,
      )!
      if (guess === digit) right++
    }
    expect(right).toBeGreaterThanOrEqual(19)
  })

  test('dilated layers reach 31 or more pixels, others 11', async () => {
    const frame = await at('e=dilated')
    const width = (name: string) => {
      const { values, columns, tiles } = frame.views.find((view) => view.name === name)!
      const from = 17 * columns + 4 * (tiles!.columns + 1)
      return Array.from({ length: tiles!.columns }, (_, x) => values[from + x]!).filter((v) => v > 0).length
    }
    expect(width('plain')).toBe(11)
    expect(width('dilated')).toBe(33)
  })

  test('its weights take less than a megabyte', () => {
    const folder = new URL('../../explorer/history/', import.meta.url)
    const files = readdirSync(folder).filter((name) => /\.(safetensors|bin)$/.test(name))
    expect(files.reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0)).toBeLessThan(1e6)
  })
})
