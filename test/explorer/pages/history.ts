import { expect } from 'vitest'
import { type Load, show } from '../../../explorer/history/show.ts'
import { type HistoryState, presets, history as schema } from '../../../explorer/history/state.ts'
import type { PageContract } from '../contract.ts'
import { goTo } from '../support/browser.ts'
import { fileOf } from '../support/files.ts'

export const load: Load = async (name) =>
  new Uint8Array(fileOf(`${name === 'samples.bin' ? 'inspect' : 'history'}/${name}`))

export const history: PageContract<HistoryState> = {
  path: 'history',
  schema,
  presets,
  model: (state) => show(state, load),
  near: 1e-4,
  gate: 8,
  states: [
    { name: 'the neocognitron', act: (page) => goTo(page, 'e=neocognitron&x=2') },
    { name: 'Xception', act: (page) => goTo(page, 'e=xception') },
  ],
  journeys: [
    {
      name: 'by keyboard through the years; the digit is moved and stays the same one',
      async run(page) {
        await page.getByRole('slider', { name: 'Year' }).focus()
        await page.keyboard.press('ArrowRight')
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.url()).toContain('e=neocognitron')
        await expect.poll(() => page.locator('.answer').textContent()).toContain('that of the 2')
        await page.getByRole('slider', { name: 'to the right' }).focus()
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.url()).toContain('x=1')
        await expect.poll(() => page.locator('.answer').textContent()).toContain('that of the 2')
      },
    },
  ],
}
