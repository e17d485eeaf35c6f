import type { Dataset } from '../data/index.ts'
import { encodePng, subset } from '../data/index.ts'
import type { Model } from '../nn/index.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { printEvaluation } from './evaluate.ts'
import { ranked } from './ranking.ts'
import { showCommand } from './show.ts'
import { drawPictures, type Picture, percent, type Terminal } from './terminal.ts'
import { train } from './train.ts'

/** How many digits are drawn: the first ones, and mistakes if there are any. */
const shown = { first: 4, wrong: 2 }
/** Pixels at each side of a digit of MNIST that are nearly always empty. */
const margin = 2

/** The first test digits, and the first that the model takes for another. */
async function examples(model: Model, test: Dataset): Promise<number[]> {
  const first = Array.from({ length: shown.first }, (_, i) => i)
  const { x, y } = test.batch(Uint32Array.from({ length: Math.min(2000, test.length) }, (_, i) => i))
  const results = await model.predict(x, { batchSize: 100 })
  const classes = test.classes.length
  const wrong = [...y.keys()].filter((i) => ranked(results.subarray(i * classes, (i + 1) * classes))[0]!.index !== y[i])
  return [...first, ...wrong.filter((i) => !first.includes(i)).slice(0, shown.wrong)]
}

function trimmed(values: Float32Array, [height, width]: readonly number[]): Pick<Picture, 'values' | 'shape'> {
  const shape = [height! - 2 * margin, width! - 2 * margin] as const
  const from = (i: number) => (Math.floor(i / shape[1]) + margin) * width! + (i % shape[1]) + margin
  return { values: Float32Array.from({ length: shape[0] * shape[1] }, (_, i) => values[from(i)]!), shape }
}

async function picturesOf(model: Model, data: Dataset): Promise<Picture[]> {
  const { x, y } = data.batch(Uint32Array.from({ length: data.length }, (_, i) => i))
  const results = await model.predict(x)
  const size = x.length / data.length
  const classes = data.classes.length
  return Array.from({ length: data.length }, (_, i) => {
    const best = ranked(results.subarray(i * classes, (i + 1) * classes))[0]!
    const label = best.index === y[i] ? '' : `, but is ${data.classes[y[i]!]}`
    const caption = `${data.classes[best.index]} (${percent(best.share, 1)})${label}`
    return { ...trimmed(x.subarray(i * size, (i + 1) * size), data.shape), caption }
  })
}

/** `npm start`: trains LeNet-5 on MNIST, measures it, saves it, and shows some digits with what it takes them for. */
export async function startCommand(asked: { resume?: true }, terminal: Terminal): Promise<number> {
  const begin = performance.now()
  const result = await train('lenet5', { data: 'mnist', ...asked }, terminal)
  if (typeof result === 'string') {
    terminal.print(`stopped; checkpoint: ${result}. Go on with: npm start -- --resume`)
    return 130
  }
  const { model, split, output } = result
  terminal.print(`\n${split.test.length} test digits that it has never seen:`)
  await printEvaluation(model, split.test, terminal)
  terminal.print('\nsome of them, and what the network takes them for:')
  const data = subset(split.test, await examples(model, split.test))
  for (const line of drawPictures(await picturesOf(model, data), terminal)) terminal.print(line)
  const [height, width] = split.test.shape as [number, number]
  const digit = Uint8Array.from(split.test.batch([0]).x, (value) => Math.round(value * 255))
  const digitPath = output.replace(/\.\w+$/, '.digit.png')
  await writeFileAtomic(digitPath, encodePng({ width, height, channels: 1, data: digit }))
  await showCommand(output, digitPath, { output: output.replace(/\.\w+$/, '.layers.png') }, terminal)
  terminal.print(`\nsaved ${output}; all in ${((performance.now() - begin) / 1000).toFixed(1)} s`)
  terminal.print(`try: fovea explain ${output}, fovea predict ${output} ${digitPath}`)
  return 0
}
