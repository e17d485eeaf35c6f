// `npm run compare`: fovea and its peers on the same small inputs, each judged by float64.
import { writeFileSync } from 'node:fs'
import { parseArgs } from 'node:util'
import { allowedError } from '../data.ts'
import { type Answer, type Case, cases } from './cases.ts'
import { judge } from './judge.ts'
import { libraries } from './libraries.ts'
import { notes, type Row, summary, tables, verdicts } from './page.ts'

const usage = `npm run compare -- [options]
  --only ID,...   some rows, printed; without it all are run and docs/compared.md is written
  --list          names of the rows`

const { values } = parseArgs({
  options: { only: { type: 'string' }, list: { type: 'boolean' }, help: { type: 'boolean' } },
})
if (values.help || values.list) {
  console.log(values.help ? usage : cases.map(({ id }) => id).join('\n'))
  process.exit()
}

function chosen(): readonly Case[] {
  if (values.only === undefined) return cases
  return values.only.split(',').map((id) => {
    const item = cases.find((other) => other.id === id)
    if (!item) throw new Error(`there is no row '${id}': see npm run compare -- --list`)
    return item
  })
}

const some = chosen()
const present = libraries()
const judged = some.map(judge)
const answers: Answer[][] = []
for (const library of present) {
  let done = 0
  answers.push(
    await library.answers(some, (item) =>
      process.stderr.write(`${library.name} ${++done}/${some.length} ${item.id}\n`),
    ),
  )
}
const rows: Row[] = some.map((item, i) => ({
  item,
  cells: answers.map((list) => verdicts(item, judged[i]!, list[i]!)),
}))
const names = present.map(({ name }) => name)
const body = `${summary(names, rows)}\n\n${tables(names, rows)}\n\n${notes(names, rows)}\n`
if (values.only !== undefined) console.log(body)
else {
  const versions = present.map(({ name, version }) => `${name} ${version}`).join(', ')
  const head = `# Compared

<!-- Made by \`npm run compare\`. -->

The same small inputs for ${versions}. Each library is asked as its documentation has it: one call of its own, or its
own padding first. \`y\` is the result, \`dx\` and \`dw\` the gradients by input and kernel, \`d2\` the derivative of \`dx\`
by the kernel. The judge is float64, whose own derivatives are checked against differences. Wrong is what is off by
more than ${allowedError} of its root mean square, or has another shape; \`-\` stands where a library has no such
operation. Sizes are channels last, [N, spatial..., C]. Any row again: \`npm run compare -- --only ID\`.

`
  const path = new URL('../../../../docs/compared.md', import.meta.url).pathname
  writeFileSync(path, head + body)
  console.log(`${summary(names, rows)}\n\nwritten to ${path}`)
}
const ours = rows.some(({ cells }) => [...cells[0]!.values()].some(({ kind }) => kind !== 'right'))
process.exitCode = ours ? 1 : 0
