import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fail } from '../../base/errors.ts'
import { mnist } from '../../data/index.ts'
import { loadOnnx } from '../../formats/index.ts'
import { runInBrowser } from './browser.ts'
import { casesIn, onnxBytes } from './cases.ts'
import { type Outcome, runCase } from './run.ts'

const remedy = "Give it: npm run models -- FOLDER, or set FOVEA_DATA to the folder that 'models' lies in"

function modelsFolder(given: string | undefined): string {
  const { FOVEA_DATA } = process.env
  const folder = given ?? (FOVEA_DATA === undefined ? undefined : join(FOVEA_DATA, 'models'))
  if (folder === undefined) return fail('models', 'no folder is given and FOVEA_DATA is not set', remedy)
  if (!existsSync(folder)) fail('models', `there is no folder ${resolve(folder)}`, remedy)
  return folder
}

/** Digits that the MNIST network of ONNX's model zoo must get right, as onnxruntime does. */
const digitsRight = 9891

/** The network of ONNX's model zoo on MNIST's 10,000 test digits, 0..255. */
async function digits(folder: string): Promise<Outcome | undefined> {
  const path = join(folder, 'mnist-cntk.onnx')
  if (!existsSync(path)) return undefined
  const { test } = await mnist()
  const model = await loadOnnx(path)
  const name = `mnist-cntk, ${test.length} test digits`
  const start = performance.now()
  let right = 0
  for (let i = 0; i < test.length; i++) {
    const { x, y } = test.batch([i])
    const results = await model.run({ shape: [1, 1, 28, 28], data: x.map((v) => Math.round(v * 255)) })
    const scores = Array.from(results[model.outputs[0].name].data)
    if (scores.indexOf(Math.max(...scores)) === y[0]) right++
  }
  const milliseconds = performance.now() - start
  const why = `${right} digits right`
  return { name, result: right === digitsRight ? 'passed' : 'failed', milliseconds, why }
}

/**
 * Runs every model of a folder and prints how far it is from its reference.
 * @param browser in headless Chromium
 * @returns whether none failed
 */
export async function modelsCommand(
  given: string | undefined,
  browser: boolean,
  print: (line: string) => void,
): Promise<boolean> {
  const folder = modelsFolder(given)
  const cases = casesIn(folder)
  const missing = new Set(cases.filter(({ model }) => !existsSync(model)).map(({ model }) => model))
  print('| model | result | largest difference / largest value, or share of wrong classes | time (ms) |')
  print('|---|---|---:|---:|')
  const outcomes: Outcome[] = []
  const add = (outcome: Outcome) => {
    const { name, result, error, milliseconds, why } = outcome
    const text = why === undefined ? result : `${result}: ${why}`
    print(`| ${name} | ${text} | ${error?.toExponential(1) ?? ''} | ${milliseconds?.toFixed(0) ?? ''} |`)
    outcomes.push(outcome)
  }
  const present = cases.filter(({ model }) => !missing.has(model))
  if (browser) await runInBrowser(present, add)
  else {
    for (const item of present)
      add(await runCase({ ...item, source: item.kind === 'tfjs' ? item.model : onnxBytes(item.model) }))
    const scored = await digits(folder)
    if (scored) add(scored)
  }
  print('')
  for (const path of missing) print(`skipped: ${path} isn't there`)
  const failed = outcomes.filter(({ result }) => result === 'failed').length
  print(`${outcomes.length - failed} passed, ${failed} failed`)
  return failed === 0
}
