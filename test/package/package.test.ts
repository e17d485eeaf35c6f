// The packed tarball, installed in an empty project: trains and predicts in Node and in a page, and its types resolve.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { chromium } from 'playwright'
import { build, preview } from 'vite'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { launchOptions } from '../../scripts/chromium.mjs'
import { installed, run, tsc } from './install.ts'

let project: ReturnType<typeof installed>
beforeAll(() => {
  project = installed()
}, 120_000)
afterAll(() => project.remove())

interface Report {
  losses: number[]
  right: number
  eager: number[]
  [name: string]: unknown
}

function expectLearning({ losses, right, eager }: Report) {
  expect(losses).toHaveLength(6)
  expect(losses[5]).toBeLessThan(losses[0] / 4)
  expect(right).toBeGreaterThan(300)
  expect(eager).toEqual([2, 4, 6])
}

describe('the tarball', () => {
  test('holds what is run and read, not tests and sources', () => {
    const paths = project.files.map(({ path }) => path)
    for (const path of ['package.json', 'README.md', 'LICENSE', 'dist/index.js', 'dist/nn/index.d.ts'])
      expect(paths).toContain(path)
    expect(paths.filter((path) => !/^(dist|docs)\/|^[A-Z]+(\.md)?$|^package\.json$/.test(path))).toEqual([])
  })

  test('every door of package.json leads to a file', () => {
    const paths = project.files.map(({ path }) => `./${path}`)
    const { exports, bin } = JSON.parse(readFileSync(join(project.folder, 'node_modules/fovea/package.json'), 'utf8'))
    const targets = [...Object.values(exports).flatMap((door) => Object.values(door as object | string))]
    for (const target of targets.filter((path) => path.length > 1)) expect(paths).toContain(target)
    expect(paths).toContain(`./${bin.fovea}`)
  })
})

describe('an empty Node project', () => {
  test('types resolve the way Node does it, strictly; its program trains, predicts, saves and loads', () => {
    tsc(project.folder)
    const report = JSON.parse(run(project.folder, process.execPath, 'built/node.js')) as Report
    expectLearning(report)
    expect(report).toMatchObject({ same: true, compiled: [2, 4, 6], outputShape: [10] })
    expect(report).toMatchObject({ convSpec: 'function', datasetOf: 'function' })
    expect(report.models).toContain('lenet5')
  })

  test('types resolve the way bundlers do it', () => {
    tsc(project.folder, '--noEmit', '--module', 'esnext', '--moduleResolution', 'bundler')
  })

  test('a bundle that uses the graph alone computes', async () => {
    const input = join(project.folder, 'eager.ts')
    const rolldownOptions = { input, output: { entryFileNames: 'eager.js' } }
    const outDir = join(project.folder, 'bundled')
    await build({
      root: project.folder,
      configFile: false,
      logLevel: 'error',
      build: { outDir, target: 'es2022', modulePreload: false, rolldownOptions },
    })
    expect(JSON.parse(run(outDir, process.execPath, 'eager.js'))).toEqual([2, 4, 6])
  })

  test('has the command fovea', () => {
    const bin = join(project.folder, 'node_modules/.bin/fovea')
    const help = run(project.folder, bin, '--help')
    for (const command of ['train', 'evaluate', 'predict', 'explain']) expect(help).toContain(command)
  })
})

describe.skipIf(!launchOptions.executablePath)('an empty Vite page (skipped without Chromium)', () => {
  test('trains and predicts, served without cross-origin isolation, quietly and from one host', async () => {
    await build({ root: project.folder, configFile: false, logLevel: 'error', build: { target: 'es2022' } })
    const server = await preview({
      root: project.folder,
      configFile: false,
      logLevel: 'error',
      preview: { host: '127.0.0.1', port: 0 },
    })
    const browser = await chromium.launch(launchOptions)
    try {
      const url = server.resolvedUrls!.local[0]
      const page = await browser.newPage()
      const complaints: string[] = []
      const requests: string[] = []
      page.on('console', (message) => complaints.push(`${message.type()}: ${message.text()}`))
      page.on('pageerror', (error) => complaints.push(String(error)))
      page.on('request', (request) => requests.push(request.url()))
      await page.goto(url)
      await page
        .waitForFunction(() => document.body.textContent.startsWith('{'), null, { timeout: 30_000 })
        .catch(() => {})
      expect(complaints).toEqual([])
      expect(requests.filter((request) => !request.startsWith(url) && !request.startsWith('data:'))).toEqual([])
      const report = JSON.parse(await page.locator('body').innerText()) as Report
      expectLearning(report)
      expect(report).toMatchObject({ isolated: false, samples: 320 })
    } finally {
      await browser.close()
      await server.close()
    }
  })
})
