import { expect } from 'vitest'
import { bordersModel } from '../../../explorer/borders/model.ts'
import { type BordersState, bordersPresets, bordersSchema } from '../../../explorer/borders/state.ts'
import type { PageContract } from '../contract.ts'

export const borders: PageContract<BordersState> = {
  path: 'borders',
  schema: bordersSchema,
  presets: bordersPresets,
  model: bordersModel,
  gate: 8,
  journeys: [
    {
      name: 'by keyboard: a border cell is chosen and all five say where they read',
      async run(page) {
        await page.locator('.view-grid').first().focus()
        for (const key of ['Control+End', 'Enter']) await page.keyboard.press(key)
        await expect.poll(() => page.url()).toContain('at=10,10')
        const answer = page.locator('.answer')
        await expect.poll(() => answer.textContent()).toContain('reflect reads [1, 1]')
        expect(await answer.textContent()).toContain('circular reads [2, 2]')
      },
    },
    {
      name: 'a kernel larger than the input is refused with a reason',
      async run(page) {
        await page.evaluate(() => {
          location.hash = 'n=3&k=6'
        })
        await expect.poll(() => page.locator('.notes').textContent()).toMatch(/kernel 6 -> 3/)
      },
    },
  ],
}
