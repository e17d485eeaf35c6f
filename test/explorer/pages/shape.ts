import type { Page } from 'playwright'
import { expect } from 'vitest'
import { shapeModel } from '../../../explorer/shape/model.ts'
import { type ShapeState, shapePresets, shapeSchema } from '../../../explorer/shape/state.ts'
import type { PageContract } from '../contract.ts'
import { goTo } from '../support/browser.ts'

export const shape: PageContract<ShapeState> = {
  path: 'shape',
  schema: shapeSchema,
  presets: shapePresets,
  model: shapeModel,
  gate: 8,
  states: [
    {
      name: 'a kernel that does not fit',
      act: (page) => goTo(page, 'i=2&k=7&p=valid'),
    },
  ],
  journeys: [
    {
      name: 'by keyboard: a longer stride, another output chosen, Back',
      async run(page: Page) {
        await page.getByRole('slider', { name: 'stride', exact: true }).focus()
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.url()).toContain('s=3')
        await page.locator('.view-grid').nth(2).focus()
        for (const key of ['End', 'ArrowDown', 'Enter']) await page.keyboard.press(key)
        await expect.poll(() => page.url()).toContain('at=1,1')
        await page.goBack()
        await expect.poll(() => page.url()).not.toContain('at=')
      },
    },
    {
      name: 'what does not fit is explained in the library’s own words, and can be mended',
      async run(page: Page) {
        await goTo(page, 'i=2&k=7&p=valid')
        await expect.poll(() => page.locator('.problem').textContent()).toMatch(/larger than the padded input/)
        await page.getByRole('spinbutton', { name: 'kernel' }).fill('2')
        await page.keyboard.press('Tab')
        await expect.poll(() => page.locator('canvas[data-view="output"]').count()).toBe(1)
      },
    },
  ],
}
