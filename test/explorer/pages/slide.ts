import { expect } from 'vitest'
import { slideModel } from '../../../explorer/slide/model.ts'
import { type SlideState, slidePresets, slideSchema } from '../../../explorer/slide/state.ts'
import type { PageContract } from '../contract.ts'
import { goTo } from '../support/browser.ts'

export const slide: PageContract<SlideState> = {
  path: 'slide',
  schema: slideSchema,
  presets: slidePresets,
  model: slideModel,
  gate: 8,
  states: [
    {
      name: 'a cell being edited',
      async act(page) {
        await goTo(page, '')
        await page.locator('.view-grid').nth(1).focus()
        await page.keyboard.press('F2')
      },
    },
  ],
  journeys: [
    {
      name: 'by keyboard: a weight is changed, the sum follows; Escape leaves it as it was',
      async run(page) {
        const answer = () => page.locator('.answer').textContent()
        expect(await answer()).toMatch(/= \u22123$/)
        await page.locator('.view-grid').nth(1).focus()
        for (const key of ['Control+End', 'Enter']) await page.keyboard.press(key)
        await page.keyboard.type('-5')
        await page.keyboard.press('Enter')
        await expect.poll(answer).toMatch(/= \u22127$/)
        expect(page.url()).toContain('K=1,0,-1;2,0,-2;1,0,-5')
        await page.keyboard.press('F2')
        await page.keyboard.type('9')
        await page.keyboard.press('Escape')
        await expect.poll(answer).toMatch(/= \u22127$/)
        await page.goBack()
        await expect.poll(answer).toMatch(/= \u22123$/)
      },
    },
    {
      name: 'the player steps, plays and pauses, also by its keys',
      async run(page) {
        await page.getByRole('button', { name: 'Next output' }).click()
        await expect.poll(() => page.url()).toContain('n=12')
        await page.keyboard.press('j')
        await expect.poll(() => page.url()).not.toContain('n=')
        await page.keyboard.press('k')
        await expect.poll(() => page.locator('.player output').textContent()).not.toBe('12/25')
        await page.getByRole('button', { name: 'Pause' }).click()
        const stopped = await page.locator('.player output').textContent()
        await page.waitForTimeout(700)
        expect(await page.locator('.player output').textContent()).toBe(stopped)
      },
    },
    {
      name: 'what is said aloud follows the chosen output',
      async run(page) {
        await page.locator('.view-grid').nth(3).focus()
        for (const key of ['End', 'Enter']) await page.keyboard.press(key)
        await expect.poll(() => page.locator('.live').textContent()).toMatch(/^Output row 0, column 4 is minus 3/)
      },
    },
  ],
}
