import { rmSync } from 'node:fs'
import { build } from 'vite'
import type { TestProject } from 'vitest/node'
import { chromium } from '../../../scripts/chromium.mjs'

declare module 'vitest' {
  interface ProvidedContext {
    /** Folder of the built pages; '' where there is no browser to show them. */
    site: string
  }
}

/** Builds the pages once for all test files, from the sources as they are. */
export default async function setup(project: TestProject): Promise<(() => void) | undefined> {
  if (!chromium) {
    project.provide('site', '')
    return undefined
  }
  const root = new URL('../../../', import.meta.url).pathname
  const site = `${root}runs/explorer-${process.pid}`
  await build({ configFile: `${root}explorer/vite.config.ts`, logLevel: 'error', build: { outDir: site } })
  project.provide('site', site)
  return () => rmSync(site, { recursive: true, force: true })
}
