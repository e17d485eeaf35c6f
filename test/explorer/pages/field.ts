import type { Page } from 'playwright'
import { expect } from 'vitest'
import { effectiveField, picturesFor } from '../../../explorer/field/effective.ts'
import { frameOf, theoryOf } from '../../../explorer/field/model.ts'
import { squaresOf, wholePicture } from '../../../explorer/field/pictures.ts'
import { type FieldState, presets, page as schema, unitOf } from '../../../explorer/field/state.ts'
import type { Picture } from '../../../explorer/shared/picture.ts'
import { randomSource } from '../../../src/base/random.ts'
import type { PageContract } from '../contract.ts'
import { goTo } from '../support/browser.ts'
import { photoOf } from '../support/photo.ts'
import { expectPicture } from '../support/picture.ts'

async function frameWith(state: FieldState, photo: Picture) {
  const count = picturesFor(state)
  const gradient = await effectiveField(state, squaresOf(photo, count), unitOf(state))
  return frameOf(theoryOf(state, wholePicture(photo)), gradient, count)
}

export const field: PageContract<FieldState> = {
  path: 'field',
  schema,
  presets,
  gate: 8,
  journeys: [
    {
      name: 'every cell has the colour of the library’s number: presets, and 50 states by chance',
      async run(page: Page) {
        const photo = await photoOf(page, 'chelsea')
        for (const { fragment } of presets) {
          await goTo(page, fragment)
          await expectPicture(page, await frameWith(schema.read(fragment).state, photo), 'light', fragment)
        }
        const random = randomSource(7)
        for (let i = 0; i < 50; i++) {
          // few layers, and ways instead of gradients, so that fifty take seconds
          const state = schema.random(random)
          const few = schema.mend({ ...state, l: state.l.slice(0, 4), w: 'ones' }).state
          const fragment = schema.print(few)
          await goTo(page, fragment)
          await expectPicture(page, await frameWith(schema.read(fragment).state, photo), 'light', fragment)
        }
      },
    },
    {
      name: 'by keyboard: a layer more, dilated, and another unit',
      async run(page: Page) {
        await page.getByRole('button', { name: 'Add a layer' }).press('Enter')
        await expect.poll(() => page.locator('.answer').textContent()).toContain('9×9 px')
        await page.getByRole('spinbutton', { name: 'dilate of layer 4' }).fill('3')
        await page.keyboard.press('Tab')
        await expect.poll(() => page.locator('.answer').textContent()).toContain('13×13 px')
        await page.locator('.view-grid').first().focus()
        for (const key of ['Control+Home', 'Enter']) await page.keyboard.press(key)
        await expect.poll(() => page.url()).toContain('at=0,0')
      },
    },
  ],
}
