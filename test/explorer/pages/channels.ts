import type { Page } from 'playwright'
import { expect } from 'vitest'
import { model } from '../../../explorer/channels/model.ts'
import { type ChannelState, presets, page as schema } from '../../../explorer/channels/state.ts'
import type { PageContract } from '../contract.ts'
import { goTo } from '../support/browser.ts'

export const channels: PageContract<ChannelState> = {
  path: 'channels',
  schema,
  presets,
  model,
  gate: 8,
  states: [
    {
      name: 'layers too large to time',
      act: (page) => goTo(page, 'ci=256&co=256&g=1&n=112&k=9'),
    },
  ],
  journeys: [
    {
      name: 'by keyboard: fewer groups merge the blocks, and the times are measured anew',
      async run(page: Page) {
        await page.waitForSelector('[data-timed=yes]')
        await page.getByRole('slider', { name: 'groups' }).focus()
        for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft')
        await expect.poll(() => page.url()).toContain('#g=8')
        await page.waitForSelector('[data-timed=yes]')
        const times = await page.locator('.bars td[data-name="measured here"] .number').allTextContents()
        expect(times).toHaveLength(2)
        for (const time of times) expect(Number.parseFloat(time)).toBeGreaterThan(0)
        await page.locator('.view-grid').nth(1).focus()
        await page.keyboard.press('ArrowRight')
        await expect
          .poll(() => page.locator('.reading').textContent())
          .toBe('3×3, 8 groups: output 0 reads input 1 through 9 weights. It reads inputs 0 to 7.')
      },
    },
    {
      name: 'groups that do not divide are mended with the reason',
      async run(page: Page) {
        await page.getByRole('checkbox', { name: 'then a pointwise 1×1 layer' }).click()
        await page.getByRole('spinbutton', { name: 'channels out' }).fill('48')
        await page.keyboard.press('Tab')
        await expect.poll(() => page.locator('.notes').textContent()).toContain('groups 64 → 16')
      },
    },
  ],
}
