import type { Page } from 'playwright'
import { describe, expect, test } from 'vitest'
import type { Frame, Preset } from '../../explorer/shared/frame.ts'
import type { Schema } from '../../explorer/shared/schema.ts'
import { randomSource } from '../../src/base/random.ts'
import { expectAccessible } from './support/axe.ts'
import { goTo, hasBrowser, type Pages, pagesOfSite, settled } from './support/browser.ts'
import { expectPicture, expectTables, readPictures } from './support/picture.ts'
import { expectInTime } from './support/timed.ts'

/** What a page promises; `contract` tests it. */
export interface PageContract<S extends object> {
  /** Its folder; '' is the first page. */
  readonly path: string
  readonly schema: Schema<S>
  readonly presets: readonly Preset[]
  /** What its picture must show; none where it depends on more than the state. */
  readonly model?: (state: S) => Frame | Promise<Frame>
  /** Tables may differ by so much of a view's limit, where numbers depend on how the engine rounds. Default 0. */
  readonly near?: number
  /** Own script of one change, ms, 95th percentile: warns above it, fails above twice. */
  readonly gate: number
  /** What axe looks at besides the page as it opens, open tables and code, and a wrong address. */
  readonly states?: readonly { readonly name: string; act(page: Page): Promise<void> }[]
  /** By keyboard alone, and whatever else the page must do. */
  readonly journeys?: readonly { readonly name: string; run(page: Page): Promise<void> }[]
}

const folderOf = (path: string) => (path === '' ? '' : `${path}/`)

/** Addresses that nobody should write. */
export const hostile = [
  'nonsense',
  '=&=&&&=',
  'i=999999999999&k=-3&s=0&d=NaN',
  'v=7&p=__proto__&constructor=1&__proto__=2',
  '%E0%A4%A&K=%00%FF;1,2',
  'K=1e309,-1e309;NaN,Infinity&X=<script>alert(1)</script>',
  `K=${'1,'.repeat(3000)}`,
  `i=${'9x'.repeat(50)}9&at=99999999,0`,
  'i=1&k=9&s=6&lo=0&hi=0&p=own&n=99999999999999999999',
  `${'a=1&'.repeat(3000)}`,
]

/** The tests that every page has to pass. */
export function contract<S extends object>(page: PageContract<S>): void {
  describe.skipIf(!hasBrowser)(`/${folderOf(page.path)}`, () => {
    const pages = pagesOfSite()
    pictureTests(page, pages)
    addressTests(page, pages)
    accessTests(page, pages)
    for (const { name, run } of page.journeys ?? [])
      test(name, () => pages.visit(folderOf(page.path), ({ page }) => run(page)))
  })
}

function pictureTests<S extends object>(contract: PageContract<S>, pages: Pages): void {
  const { schema, presets, model } = contract
  const path = folderOf(contract.path)
  if (model) {
    test('every cell has the colour of the library’s number: presets, light and dark, and their tables', () =>
      pages.visit(path, async ({ page }) => {
        await page.getByRole('button', { name: 'Numbers as a table' }).click()
        for (const theme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme: theme })
          for (const { fragment } of presets) {
            await goTo(page, fragment)
            const frame = await model(schema.read(fragment).state)
            expect(frame.problem, fragment).toBeUndefined()
            await expectPicture(page, frame, theme, fragment)
            if (theme === 'light') await expectTables(page, frame, fragment, contract.near)
          }
        }
      }))

    test('every cell has the colour of the library’s number: states by chance', () =>
      pages.visit(path, async ({ page }) => {
        await page.emulateMedia({ colorScheme: 'light' })
        const random = randomSource(6)
        for (let i = 0; i < 50; i++) {
          const fragment = schema.print(schema.random(random))
          await goTo(page, fragment)
          await expectPicture(page, await model(schema.read(fragment).state), 'light', fragment)
        }
      }))
  }

  test(`a change takes the page’s own script at most ${contract.gate} ms, in 95 of 100 cases`, () =>
    pages.visit(path, async ({ page }) => {
      const times = await scriptTimes(
        page,
        presets.map(({ fragment }) => fragment),
      )
      const most = times.sort((a, b) => a - b)[Math.ceil(0.95 * times.length) - 1]!
      expectInTime(`/${path}: script of a change`, most, contract.gate)
    }))
}

/**
 * What the page's thread computes in script for a change to each of the states in turn, until its figure is painted,
 * in ms; eight times each. Time that other processes take doesn't count.
 */
async function scriptTimes(page: Page, fragments: readonly string[]): Promise<number[]> {
  const devtools = await page.context().newCDPSession(page)
  await devtools.send('Performance.enable', { timeDomain: 'threadTicks' })
  const scripted = async () => {
    const { metrics } = await devtools.send('Performance.getMetrics')
    return 1000 * metrics.find(({ name }) => name === 'ScriptDuration')!.value
  }
  const times: number[] = []
  for (let round = 0; round < 8; round++)
    for (const fragment of fragments) {
      if (new URL(page.url()).hash.replace('#', '') === fragment) continue
      const before = await scripted()
      await goTo(page, fragment)
      times.push((await scripted()) - before)
    }
  return times
}

function addressTests<S extends object>(contract: PageContract<S>, pages: Pages): void {
  const { presets, schema } = contract
  const path = folderOf(contract.path)
  test('a wrong address gives a message and a page that works', () =>
    pages.visit(path, async ({ page }) => {
      for (const fragment of hostile) {
        await goTo(page, fragment)
        const told = await page.locator('.notes').textContent()
        expect(told, fragment).not.toBe('')
        expect(await page.locator('h1').isVisible()).toBe(true)
      }
    }))

  test('a link to a state shows it again; Back undoes', () =>
    pages.visit(path, async ({ page }) => {
      const before = await readPictures(page)
      const preset = presets.find(({ fragment }) => fragment !== '')!
      await page
        .getByRole('navigation', { name: 'Examples' })
        .getByRole('link', { name: preset.name, exact: true })
        .click()
      await page.waitForFunction((hash) => location.hash === hash, `#${preset.fragment}`)
      await settled(page)
      expect(await page.locator('.presets a[aria-current]').textContent()).toBe(preset.name)
      const there = await readPictures(page)
      await page.reload()
      await settled(page)
      expect(await readPictures(page)).toEqual(there)
      await page.goBack()
      await settled(page)
      if (contract.model) expect(await readPictures(page)).toEqual(before)
    }))

  test('its presets are canonical addresses', () => {
    for (const { fragment } of presets) {
      const { state, notes } = schema.read(fragment)
      expect([schema.print(state), notes]).toEqual([fragment, []])
    }
  })
}

function accessTests<S extends object>(contract: PageContract<S>, pages: Pages): void {
  const path = folderOf(contract.path)
  for (const width of [1280, 390])
    test(`axe finds nothing: light and dark, ${width} px`, () =>
      pages.visit(
        path,
        async ({ page }) => {
          const look = async (state: string) => {
            await expectAccessible(page, state)
            await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' })
            await expectAccessible(page, `${state}, dark`)
            await page.emulateMedia({ colorScheme: 'light', reducedMotion: 'reduce' })
          }
          await look('as it opens')
          for (const name of ['Code', 'Numbers as a table']) {
            const button = page.getByRole('button', { name, exact: true })
            if ((await button.count()) === 0) continue
            await button.click()
            await look(`${name} open`)
            await button.click()
          }
          await goTo(page, 'nonsense')
          await look('with a message')
          for (const state of contract.states ?? []) {
            await state.act(page)
            await look(state.name)
          }
          const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
          expect(wide, 'wider than the window by').toBeLessThanOrEqual(0)
        },
        { colorScheme: 'light', viewport: { width, height: 844 }, reducedMotion: 'reduce' },
      ))

  test('fits into 320 px, with no motion for who wants none', () =>
    pages.visit(
      path,
      async ({ page }) => {
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)
        expect(wide).toBeLessThanOrEqual(0)
        expect(await page.evaluate(() => document.getAnimations().length)).toBe(0)
      },
      { viewport: { width: 320, height: 700 }, reducedMotion: 'reduce' },
    ))

  test('every picture can be walked over by keyboard, and says where one is', () =>
    pages.visit(path, async ({ page }) => {
      const grids = page.locator('.view-grid')
      for (let i = 0; i < (await grids.count()); i++) {
        const grid = grids.nth(i)
        await grid.focus()
        for (const key of ['End', 'ArrowDown', 'Home', 'ArrowRight']) await page.keyboard.press(key)
        const said = grid.locator('xpath=..').locator('[aria-live]')
        await expect.poll(() => said.textContent()).toMatch(/row .*column/)
      }
    }))

  test('its text can be read without script', () =>
    pages.visit(
      path,
      async ({ page }) => {
        expect(await page.locator('h1').isVisible()).toBe(true)
        expect((await page.locator('main').innerText()).length).toBeGreaterThan(200)
      },
      { javaScriptEnabled: false },
    ))

  test('works without the headers that threads need', () =>
    pages.visit(
      path,
      async ({ page }) => {
        expect(await page.evaluate(() => crossOriginIsolated)).toBe(false)
        for (const { fragment } of contract.presets.slice(0, 2)) await goTo(page, fragment)
      },
      { plain: true },
    ))
}
