import type { Page } from 'playwright'
import { expect } from 'vitest'
import { model } from '../../../explorer/overview/model.ts'
import { type OverviewState, presets, page as schema } from '../../../explorer/overview/state.ts'
import type { PageContract } from '../contract.ts'

export const overview: PageContract<OverviewState> = {
  path: '',
  schema,
  presets,
  model,
  gate: 16,
  journeys: [
    {
      name: 'by keyboard: another result is summed, a larger stride, Back',
      async run(page: Page) {
        await page.getByRole('slider', { name: 'result', exact: true }).focus()
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.locator('[data-mini=number] .says').textContent()).toContain('y[1,2] =')
        await page.getByRole('slider', { name: 'stride', exact: true }).first().focus()
        await page.keyboard.press('ArrowRight')
        await expect.poll(() => page.url()).toContain('s=3')
        await page.goBack()
        await expect.poll(() => page.url()).not.toContain('s=3')
      },
    },
  ],
}
