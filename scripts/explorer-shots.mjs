// `npm run shots`: pictures of every page of the explorer in both themes, docs/explorer/NAME-THEME.webp, 1280 px wide
// and as high as what is seen first; takes the built package and pages, and a Chromium.
import { mkdirSync, writeFileSync } from 'node:fs'
import { chromium } from 'playwright'
import { serveSite } from '../dist/cli/explore.js'
import { launchOptions } from './chromium.mjs'

/** Each page in a state that shows what it is for. */
const pages = {
  overview: '',
  slide: 'slide/',
  shape: 'shape/#b=one&at=1,1',
  borders: 'borders/',
  photo: 'photo/#p=chelsea&k=gabor45-11',
  channels: 'channels/#g=8',
  field: 'field/#l=c3,c3,c3,c3,c3,c3,c3,c3,c3,c3',
  train: 'train/#stop=95',
  inspect: 'inspect/#off=1',
  history: 'history/#e=lenet5',
}

const root = new URL('..', import.meta.url).pathname
const folder = `${root}docs/explorer`
mkdirSync(folder, { recursive: true })
const site = await serveSite(`${root}dist/explorer`)
const browser = await chromium.launch(launchOptions)
let bytes = 0
for (const colorScheme of /** @type {const} */ (['light', 'dark'])) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    colorScheme,
    reducedMotion: 'reduce',
  })
  for (const [name, path] of Object.entries(pages)) {
    const page = await context.newPage()
    page.setDefaultTimeout(600_000)
    await page.goto(site.url + path)
    await page.waitForSelector('.figure[data-state="idle"]')
    const told = await page.locator('.notes').textContent()
    if (told) throw new Error(`${path}: ${told}`)
    if (name === 'train') {
      await page.click('.go')
      await page.waitForSelector('.go:has-text("Train on")')
    }
    if (name === 'channels') await page.waitForSelector('[data-timed=yes]')
    await page.waitForSelector('.figure[data-state="idle"]')
    const webp = await smaller(page, await page.screenshot())
    writeFileSync(`${folder}/${name}-${colorScheme}.webp`, webp)
    bytes += webp.length
    await page.close()
  }
}
console.log(`${Object.keys(pages).length * 2} pictures in docs/explorer, ${bytes} bytes`)
await browser.close()
await site.close()

/**
 * A screenshot as WebP, 800 px wide: Chromium encodes it.
 * @param {import('playwright').Page} page
 * @param {Buffer} png
 */
async function smaller(page, png) {
  const text = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(800, Math.round((bitmap.height * 800) / bitmap.width))
    const context = canvas.getContext('2d')
    if (!context) throw new Error('this browser has no canvas')
    context.imageSmoothingQuality = 'high'
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height)
    const blob = await canvas.convertToBlob({ type: 'image/webp', quality: 0.6 })
    const all = new Uint8Array(await blob.arrayBuffer())
    let out = ''
    for (const byte of all) out += String.fromCharCode(byte)
    return btoa(out)
  }, png.toString('base64'))
  return Buffer.from(text, 'base64')
}
