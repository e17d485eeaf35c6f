// `node scripts/count.mjs FOLDER FAILED NAME...`: sums vitest's JSON reports FOLDER/NAME.json and FAILED other checks,
// and prints "N passed, N failed". A report that is missing counts as one failure, and so does a test file that
// couldn't be loaded. Tests that were skipped are named.
import { existsSync, readFileSync } from 'node:fs'

const [folder, checksFailed, ...names] = process.argv.slice(2)
let passed = 0
let failed = Number(checksFailed)
if (failed > 0) console.log(`checks: ${failed} failed`)
for (const name of names) {
  const path = `${folder}/${name}.json`
  if (!existsSync(path)) {
    console.log(`${name}: no report, the run stopped early`)
    failed++
    continue
  }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  /** @type {{ status: string, assertionResults: { status: string, fullName: string }[] }[]} */
  const files = report.testResults
  const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const skipped = files
    .flatMap((file) => file.assertionResults)
    .filter(({ status }) => status !== 'passed' && status !== 'failed')
  passed += report.numPassedTests
  failed += report.numFailedTests + unloaded
  console.log(
    `${name}: ${report.numPassedTests} passed, ${report.numFailedTests + unloaded} failed, ${skipped.length} skipped`,
  )
  for (const { fullName } of skipped) console.log(`  skipped: ${fullName}`)
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
