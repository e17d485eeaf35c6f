// `npm test`: every test in Node, then the core's tests in headless Chromium where there is one.
// Arguments go on to vitest: `npm test -- test/kernel`.
import { spawnSync } from 'node:child_process'
import { chromium } from './chromium.mjs'

const projects = chromium ? ['--project', 'node', '--project', 'browser'] : ['--project', 'node']
const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...process.argv.slice(2)]
const { status } = spawnSync(process.execPath, vitest, { stdio: 'inherit' })
if (!chromium) {
  console.log('\nSKIPPED: the browser run of the core tests, because no Chromium or Chrome was found in /usr/bin.')
  console.log("To have it: 'apt-get install chromium' (Debian), then 'npm test' again.")
}
process.exit(status ?? 1)
