import type { Page } from 'playwright'
import type { Picture } from '../../../explorer/shared/picture.ts'

/** A photo of the site as the page's own browser decodes it. */
export async function photoOf(page: Page, name: string): Promise<Picture> {
  const { width, height, bytes } = await page.evaluate(async (wanted) => {
    const entries = performance.getEntriesByType('resource').map((entry) => entry.name)
    const url = entries.find((entry) => entry.includes(`${wanted}-`) && entry.endsWith('.webp'))!
    const bitmap = await createImageBitmap(await (await fetch(url)).blob())
    const context = new OffscreenCanvas(bitmap.width, bitmap.height).getContext('2d')!
    context.drawImage(bitmap, 0, 0)
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height)
    return { width: bitmap.width, height: bitmap.height, bytes: [...data] }
  }, name)
  const data = new Float32Array(width * height * 3)
  for (let i = 0; i < width * height; i++) for (let c = 0; c < 3; c++) data[3 * i + c] = bytes[4 * i + c]! / 255
  return { width, height, data }
}
