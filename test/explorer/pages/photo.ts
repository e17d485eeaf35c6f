import { encode } from 'fast-png'
import type { Page } from 'playwright'
import { expect } from 'vitest'
import { compute, frameOf } from '../../../explorer/photo/frame.ts'
import { type PhotoName, type PhotoState, presets, page as schema } from '../../../explorer/photo/state.ts'
import type { Picture } from '../../../explorer/shared/picture.ts'
import { randomSource } from '../../../src/base/random.ts'
import type { PageContract } from '../contract.ts'
import { goTo, settled } from '../support/browser.ts'
import { photoOf } from '../support/photo.ts'
import { expectPicture, readPictures } from '../support/picture.ts'

async function expectPhoto(page: Page, fragment: string, photos: Map<PhotoName, Picture>): Promise<void> {
  const { state } = schema.read(fragment)
  await goTo(page, fragment)
  await page.waitForLoadState('networkidle')
  await goTo(page, fragment)
  const photo = photos.get(state.p) ?? (await photoOf(page, state.p))
  photos.set(state.p, photo)
  await expectPicture(page, frameOf(await compute(state, photo)), 'light', fragment)
}

/** The first bytes of a PNG of this size: what a browser would have to decode. */
function headerOfPng(width: number, height: number): Buffer {
  const png = Buffer.alloc(64)
  png.write('\x89PNG\r\n\x1a\n', 0, 'latin1')
  png.writeUInt32BE(13, 8)
  png.write('IHDR', 12, 'latin1')
  png.writeUInt32BE(width, 16)
  png.writeUInt32BE(height, 20)
  return png
}

const give = (page: Page, name: string, mimeType: string, buffer: Buffer) =>
  page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer })
const trouble = (page: Page) => page.locator('[role=alert]').textContent()

export const photo: PageContract<PhotoState> = {
  path: 'photo',
  schema,
  presets,
  gate: 16,
  states: [
    {
      name: 'a file that is no picture',
      async act(page) {
        await give(page, 'notes.png', 'image/png', Buffer.from('these are only words, and not a picture at all'))
        await page.waitForSelector('[role=alert]')
      },
    },
  ],
  journeys: [
    {
      name: 'every pixel has the colour of the library’s number: presets',
      async run(page: Page) {
        const photos = new Map<PhotoName, Picture>()
        for (const { fragment } of presets) await expectPhoto(page, fragment, photos)
      },
    },
    {
      name: 'every pixel has the colour of the library’s number: states by chance',
      async run(page: Page) {
        const photos = new Map<PhotoName, Picture>()
        const random = randomSource(8)
        for (let i = 0; i < 50; i++) await expectPhoto(page, schema.print(schema.random(random)), photos)
      },
    },
    {
      name: 'by keyboard: a weight is edited, the sum follows, Back',
      async run(page: Page) {
        await page.locator('.view-grid').nth(3).focus()
        for (const key of ['Enter', '5', 'Enter']) await page.keyboard.press(key)
        await expect.poll(() => page.url()).toContain('#k=5,0,1;-2,0,2;-1,0,1')
        await page.goBack()
        await expect.poll(() => page.url()).not.toContain('#k=')
      },
    },
    {
      name: 'your own picture; a wrong file, a damaged one and one of 100 megapixels are told, and the page goes on',
      async run(page: Page) {
        await give(page, 'x.png', 'image/png', Buffer.from('these are only words, and not a picture at all'))
        await expect
          .poll(() => trouble(page))
          .toBe('picture: this file is no PNG, JPEG, WebP or GIF. Choose one that is.')
        await give(page, 'x.png', 'image/png', headerOfPng(10_000, 10_000))
        await expect.poll(() => trouble(page)).toContain('10000×10000 is 100 megapixels, at most 50 are read')
        await give(page, 'x.png', 'image/png', headerOfPng(20, 20))
        await expect.poll(() => trouble(page)).toContain('damaged')
        const png = encode({ width: 40, height: 24, channels: 3, data: new Uint8Array(40 * 24 * 3).fill(128) })
        await give(page, 'own.png', 'image/png', Buffer.from(png))
        await expect.poll(() => page.locator('canvas[data-view=before]').getAttribute('data-columns')).toBe('40')
        await expect.poll(() => page.locator('[role=alert]').count()).toBe(0)
        expect(page.url()).not.toContain('own')
      },
    },
    {
      name: 'the webcam is filtered picture by picture, until it is stopped',
      async run(page: Page) {
        await page.getByRole('button', { name: 'Webcam' }).click()
        await expect.poll(() => page.locator('.credit').textContent()).toContain('Your webcam')
        const before = await readPictures(page)
        await expect.poll(async () => (await readPictures(page))[1]!.pixels).not.toBe(before[1]!.pixels)
        await page.getByRole('button', { name: 'Stop the webcam' }).click()
        await settled(page)
        const stopped = await readPictures(page)
        await page.waitForTimeout(200)
        expect(await readPictures(page)).toEqual(stopped)
        // a photo of the page's own again
        await page.getByRole('radio', { name: 'cat' }).check({ force: true })
        await expect.poll(() => page.locator('.credit').textContent()).toContain('Chelsea')
      },
    },
    {
      name: 'a kernel cut from the photo answers most where it was cut',
      async run(page: Page) {
        await goTo(page, 'k=sobelX-9&at=100,150')
        await page.getByRole('button', { name: 'Cut from the photo' }).click()
        await expect.poll(() => page.url()).toMatch(/#k=-?[.\d]/)
      },
    },
  ],
}
