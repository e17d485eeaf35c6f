import { type Browser, type BrowserContextOptions, chromium as launcher, type Page } from 'playwright'
import { afterAll, beforeAll, expect, inject } from 'vitest'
import { chromium, launchOptions } from '../../../scripts/chromium.mjs'
import { type Site, serveSite } from '../../../src/cli/explore.ts'

/** Whether there is a browser to test pages in. */
export const hasBrowser = chromium !== undefined

/** A page with what went wrong on it. */
export interface Visit {
  readonly page: Page
  /** Errors of the page and requests to anywhere but the site. */
  readonly faults: string[]
}

export interface Pages {
  /**
   * Opens a page of the site in a context of its own, uses it, and fails if anything went wrong on it: an error, a
   * message of an error in the console, a request to another host.
   */
  visit(path: string, use: (visit: Visit) => Promise<void>, options?: VisitOptions): Promise<void>
}

export interface VisitOptions extends BrowserContextOptions {
  /** Served without the headers that threads need. */
  readonly plain?: boolean
}

/** A webcam that shows a moving figure, and nobody to ask. */
const webcam = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream']

/** One browser and two servers for the tests of a file. */
export function pagesOfSite(): Pages {
  let browser: Browser
  let isolated: Site
  let plain: Site
  beforeAll(async () => {
    if (!hasBrowser) return
    browser = await launcher.launch({ ...launchOptions, args: [...launchOptions.args, ...webcam] })
    isolated = await serveSite(inject('site'), 0, true)
    plain = await serveSite(inject('site'), 0, false)
  })
  afterAll(async () => {
    await browser?.close()
    await isolated?.close()
    await plain?.close()
  })
  return {
    async visit(path, use, options = {}) {
      const { plain: bare = false, ...more } = options
      const site = bare ? plain : isolated
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...more })
      try {
        const page = await context.newPage()
        // machines may be busy; a test has a limit of its own
        page.setDefaultTimeout(120_000)
        const faults: string[] = []
        page.on('pageerror', (error) => faults.push(`error: ${error.message}`))
        page.on('console', (message) => {
          if (message.type() === 'error') faults.push(`console: ${message.text()}`)
        })
        await context.route('**', (route) => {
          const url = route.request().url()
          if (url.startsWith(site.url) || /^(blob|data):/.test(url)) return route.continue()
          faults.push(`request: ${url}`)
          return route.abort()
        })
        await page.goto(site.url + path)
        if (more.javaScriptEnabled !== false) await settled(page)
        await use({ page, faults })
        expect(faults).toEqual([])
      } finally {
        await context.close()
      }
    },
  }
}

/** Waits until the figure has been drawn and nothing is at work. */
export async function settled(page: Page): Promise<void> {
  await page.waitForSelector('.figure[data-state="idle"]')
}

/** Changes the page's state by its address, as a link does, and waits for the picture. */
export async function goTo(page: Page, fragment: string): Promise<void> {
  await page.evaluate(async (wanted) => {
    if (location.hash.replace('#', '') !== wanted) {
      const followed = new Promise((resolve) => addEventListener('popstate', resolve, { once: true }))
      location.hash = wanted
      await followed
    }
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))
    // seen by an observer: what looks again and again would count as the page's own script
    const figure = document.querySelector('.figure')!
    await new Promise<void>((resolve) => {
      const idle = () => figure.getAttribute('data-state') === 'idle' && resolve()
      new MutationObserver(idle).observe(figure, { attributeFilter: ['data-state'] })
      idle()
    })
  }, fragment)
}
