import { playwright } from '@vitest/browser-playwright'
import { defineConfig } from 'vitest/config'
import { doors } from './explorer/doors.ts'
import { launchOptions } from './scripts/chromium.mjs'

/**
 * Tests of what runs on a page too; `*.node.test.ts` among them need Node (memory, files, processes). What needs a page
 * is in `*.browser.test.ts`.
 */
const core = {
  include: ['test/{base,conv,graph,kernel,plan,program,targets,runtime,nn,models,compile,formats}/**/*.test.ts'],
  exclude: ['**/*.node.test.ts', '**/*.browser.test.ts'],
}
// `fit` is a verb of ours, so the linter can't look for focused tests: vitest refuses them
const limits = { testTimeout: 60_000, hookTimeout: 60_000, allowOnly: false }
/** Seconds of random convolutions: a minute in Node and the browser together. */
const fuzz = (fuzzSeconds: number) => ({ provide: { fuzzSeconds } })

const projects = [
  {
    test: {
      name: 'node',
      include: ['test/**/*.test.ts'],
      exclude: ['test/package/**', 'test/explorer/**', '**/*.browser.test.ts'],
      ...limits,
      ...fuzz(45),
    },
  },
  // The pages: their models, and, where there is a Chromium, the pages themselves.
  {
    resolve: { alias: doors },
    test: {
      name: 'explorer',
      include: ['test/explorer/**/*.test.ts'],
      globalSetup: ['test/explorer/support/build.ts'],
      ...limits,
      // fifty states of a page, or its states in two themes under axe, are one test
      testTimeout: 240_000,
    },
  },
  // The packed tarball installed elsewhere: takes npm's registry, and dist.
  { test: { name: 'package', include: ['test/package/*.test.ts'], ...limits } },
  // The core's tests only, in Node: continuous integration runs them on every supported version.
  { test: { name: 'core', ...core, ...limits, ...fuzz(15) } },
  {
    // cross-origin isolated, so that pages have threads
    server: {
      headers: { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' },
    },
    test: {
      name: 'browser',
      include: [...core.include, 'test/**/*.browser.test.ts'],
      exclude: ['**/*.node.test.ts', 'test/explorer/**'],
      ...limits,
      ...fuzz(15),
      sequence: { groupOrder: 1 },
      browser: {
        enabled: true,
        headless: true,
        screenshotFailures: false,
        provider: playwright({ launchOptions }),
        instances: [{ browser: 'chromium' as const }],
      },
    },
  },
]

// A bare `vitest run` means the tests in Node; the other projects run only when named: `--project browser`.
const named = projects.filter(({ test }) => process.argv.some((word) => word.endsWith(test.name)))

// Every core works: by itself vitest leaves one idle, which of two is half.
export default defineConfig({ test: { projects: named.length > 0 ? named : projects.slice(0, 1), maxWorkers: '100%' } })
