// `node scripts/count.mjs FOLDER NAME...`: sums vitest's JSON reports FOLDER/NAME.json and prints "N passed, N failed".
// A report that is missing counts as one failure, and so does a test file that couldn't be loaded.
import { existsSync, readFileSync } from 'node:fs'

const [folder, ...names] = process.argv.slice(2)
let passed = 0
let failed = 0
for (const name of names) {
  const path = `${folder}/${name}.json`
  if (!existsSync(path)) {
    console.log(`${name}: no report, the run stopped early`)
    failed++
    continue
  }
  const report = JSON.parse(readFileSync(path, 'utf8'))
  /** @type {{ status: string, assertionResults: { status: string }[] }[]} */
  const files = report.testResults
  const unloaded = files.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  passed += report.numPassedTests
  failed += report.numFailedTests + unloaded
  const skipped = report.numPendingTests + report.numTodoTests
  console.log(
    `${name}: ${report.numPassedTests} passed, ${report.numFailedTests + unloaded} failed, ${skipped} skipped`,
  )
}
console.log(`${passed} passed, ${failed} failed`)
process.exit(failed > 0 ? 1 : 0)
