// Pretrained models in headless Chromium: one page for each, which gets the built package and the files from a server.
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LaunchOptions } from 'playwright'
import { fail } from '../../base/errors.ts'
import { serveSite } from '../explore.ts'
import { type ModelCase, onnxBytes } from './cases.ts'
import type { PageCase } from './page.ts'
import type { Outcome } from './run.ts'

const bytesOf = ({ buffer, byteOffset, byteLength }: Float32Array) => new Uint8Array(buffer, byteOffset, byteLength)

/** The page and what it runs: dist, bundled. */
async function writePage(folder: string): Promise<void> {
  const { build } = await import('vite')
  await build({
    root: folder,
    configFile: false,
    logLevel: 'error',
    build: {
      outDir: folder,
      target: 'es2022',
      lib: { entry: fileURLToPath(new URL('page.js', import.meta.url)), formats: ['es'], fileName: () => 'page.js' },
    },
  })
  writeFileSync(join(folder, 'index.html'), '<!doctype html>')
}

/** Puts a case's files into a folder of their own, `site/at`. */
async function writeCase(item: ModelCase, site: string, at: string): Promise<PageCase> {
  const folder = join(site, at)
  mkdirSync(folder)
  writeFileSync(join(folder, 'input.f32'), bytesOf(await item.input()))
  const references = await Promise.all(
    item.references.map(async ({ values, ...rest }, i) => {
      writeFileSync(join(folder, `${i}.f32`), bytesOf(await values()))
      return { ...rest, values: `${at}/${i}.f32` }
    }),
  )
  if (item.kind === 'tfjs') cpSync(dirname(item.model), folder, { recursive: true })
  else writeFileSync(join(folder, 'model.onnx'), onnxBytes(item.model))
  const model = `${at}/model.${item.kind === 'tfjs' ? 'json' : 'onnx'}`
  return { name: item.name, shape: item.shape, input: `${at}/input.f32`, model, references }
}

/** Runs cases one after another, each in a page of its own, and tells each outcome as it comes. */
export async function runInBrowser(cases: readonly ModelCase[], add: (outcome: Outcome) => void): Promise<void> {
  const where = new URL('../../../scripts/chromium.mjs', import.meta.url).href
  const { chromium, launchOptions } = (await import(where)) as { chromium?: string; launchOptions: LaunchOptions }
  if (!chromium) fail('models', 'there is no Chromium or Chrome in /usr/bin', 'Install one, or leave --browser out')
  const folder = mkdtempSync(join(tmpdir(), 'fovea-models-'))
  try {
    await writePage(folder)
    const items = await Promise.all(cases.map((item, i) => writeCase(item, folder, `${i}`)))
    const site = await serveSite(folder)
    const playwright = await import('playwright')
    const browser = await playwright.chromium.launch(launchOptions)
    try {
      for (const item of items) {
        const page = await browser.newPage()
        await page.goto(site.url)
        // as a text: tsc would put a helper of its own around an import() of an address
        add(
          await page.evaluate<Outcome>(`import('/page.js').then((page) => page.runPageCase(${JSON.stringify(item)}))`),
        )
        await page.close()
      }
    } finally {
      await browser.close()
      await site.close()
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}
