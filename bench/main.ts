// `npm run bench`: fovea and its peers at layers, networks, training steps and start-up, in turn, in one run.
import { readFileSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import type { Contraction } from '../src/conv/index.ts'
import { inPages, type Names } from './contender.ts'
import { type List, listNames, parseList, readList } from './lists.ts'
import { netNames } from './nets.ts'
import { networkFiles } from './network-files.ts'
import { processStarter, type Starter } from './processes.ts'
import type { Field } from './race.ts'
import { type Row, reasonsOf, tableOf } from './report.ts'
import {
  cpuName,
  layerRows,
  measurePeaks,
  networkRows,
  type StartupRow,
  startupRows,
  trainingRows,
  withOperations,
} from './sections.ts'
import { markdownTable, milliseconds, printTable } from './table.ts'
import { quick, thorough } from './timing.ts'

const usage = `npm run bench -- [options]
  --only layers,networks,training,startup   parts (default: all)
  --lists resnet50,...      of bench/layers (default: all): ${listNames.join(', ')}
  --layers FILE             a list of yours instead, one layer a line
  --match TEXT              only works whose line contains TEXT
  --operations output,...   other contractions than each line's: output, inputGradient, kernelGradient
  --threads 1,2             rows for each (default: 1 and the number of cores)
  --peers NAME,...          default: all
  --networks FOLDER,...     ONNX files, or light_* folders with a model.onnx
  --precision direct|high|fast   rounding that fovea's layers may cost (default: fast)
  --library                 without the flag that gives Node 20 relaxed SIMD
  --pages                   in pages of headless Chromium instead of processes of Node (layers, networks, training)
  --limit SECONDS           of one library at one work before it is given up (default: 60)
  --quick                   fewer repeats: to see that everything runs, not to measure
  --json FILE, --write      every figure as JSON; the tables as docs/benchmarks.md`

const root = new URL('../../', import.meta.url).pathname
const { values } = parseArgs({
  options: {
    only: { type: 'string', default: 'layers,networks,training,startup' },
    lists: { type: 'string', default: listNames.join() },
    layers: { type: 'string' },
    match: { type: 'string', default: '' },
    operations: { type: 'string' },
    threads: { type: 'string' },
    peers: { type: 'string' },
    networks: { type: 'string', default: '' },
    precision: { type: 'string', default: 'fast' },
    library: { type: 'boolean', default: false },
    pages: { type: 'boolean', default: false },
    limit: { type: 'string', default: '60' },
    quick: { type: 'boolean', default: false },
    json: { type: 'string' },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  console.log(usage)
  process.exit()
}

const words = (text: string) => text.split(',').filter(Boolean)
const { match } = values
const only = words(values.only)
const threads = words(values.threads ?? [...new Set([1, availableParallelism()])].join()).map(Number)
const inChromium = values.pages ? await (await import('./pages.ts')).pageStarter(values.precision) : undefined
const starter: Starter = inChromium ?? processStarter({ relaxed: !values.library, precision: values.precision })
const engine = inChromium?.version ?? `Node ${process.versions.node}`
const progress = (line: string) => process.stderr.write(`${line}\n`)
const pages: string[] = []

/** Prints a text and keeps it for docs/benchmarks.md. */
function say(text: string, markdown = text): void {
  console.log(`${text}\n`)
  pages.push(markdown)
}

const field = (peers: readonly Names[]): Field => ({
  peers: peers
    .filter((peer) => !inChromium || inPages.includes(peer))
    .filter((peer) => !values.peers || words(values.peers).includes(peer)),
  threads,
  effort: values.quick ? quick : thorough,
  limit: Number(values.limit) * 1000,
  starter,
})

function chosenLists(): List[] {
  const lists = values.layers
    ? [{ name: values.layers, works: parseList(readFileSync(values.layers, 'utf8')) }]
    : words(values.lists).map((name) => readList(`${root}layers/`, name))
  const matching = lists.map(({ name, works }) => ({ name, works: works.filter(({ text }) => text.includes(match)) }))
  const some = matching.filter(({ works }) => works.length > 0)
  return values.operations ? withOperations(some, words(values.operations) as Contraction[]) : some
}

function tell(rows: readonly Row[], { peers }: Field, peaks: ReadonlyMap<number, number>): void {
  for (const list of new Set(rows.map((row) => row.list)))
    for (const count of threads) {
      const own = rows.filter((row) => row.list === list && row.threads === count)
      if (own.length === 0) continue
      const table = tableOf(`${list}, ${count} ${count === 1 ? 'thread' : 'threads'}`, own, peers, peaks.get(count)!)
      say(printTable(table), markdownTable(table))
    }
  const reasons = reasonsOf(rows)
  if (reasons.length > 0) say(`Without a time:\n${reasons.join('\n')}`)
}

function tellStartup(rows: readonly StartupRow[]): void {
  const kilobytes = (bytes: number | undefined) => (bytes === undefined ? '' : `${(bytes / 1024).toFixed(0)} KB`)
  const table = [
    ['start-up, 1 thread, batch 1', 'by', 'ms to first result', 'module', 'arena', 'own', 'weights'],
    ...rows.map(({ name, contender, ms, sizes: { moduleBytes, arenaBytes, ownBytes, weightBytes } }) => [
      ...[name, contender, milliseconds(ms)],
      ...[moduleBytes, arenaBytes, ownBytes, weightBytes].map(kilobytes),
    ]),
  ]
  say(printTable(table), markdownTable(table))
}

const folders = words(values.networks)
const peaks = await measurePeaks(starter, threads)
say(
  `${cpuName()}, ${availableParallelism()} cores, ${engine}; precision ${values.precision}\n` +
    `peak of SIMD128 multiply-adds: ${[...peaks]
      .map(([count, peak]) => `${peak.toFixed(1)} GFLOP/s on ${count} ${count === 1 ? 'thread' : 'threads'}`)
      .join(', ')}\nA ratio is the peer's time / fovea's, each in memory of its own; onnxruntime takes and gives ` +
    'numbers of the caller, so fovea does too there (with copies).',
)

const rows: Row[] = []
let startup: StartupRow[] = []

async function section(name: string, peers: readonly Names[], run: (of: Field) => Promise<Row[]>): Promise<void> {
  if (!only.includes(name)) return
  const own = field(peers)
  const found = await run(own)
  rows.push(...found)
  tell(found, own, peaks)
}

try {
  // list by list, so that each table is printed when it is known
  for (const list of chosenLists())
    await section('layers', ['onnxruntime-web', 'tfjs-wasm', 'jax-js', 'onnxruntime-node'], (own) =>
      layerRows(own, list, progress),
    )
  if (folders.length > 0)
    await section('networks', ['onnxruntime-web', 'onnxruntime-node'], (own) =>
      networkRows(own, folders, match, progress),
    )
  else if (only.includes('networks')) say('networks: skipped, no folder given (--networks FOLDER)')
  await section('training', ['jax-js', 'tfjs-cpu', 'tfjs-wasm', 'pytorch'], (own) => trainingRows(own, match, progress))
  if (only.includes('startup') && !inChromium) {
    const files = folders.flatMap(networkFiles).map(({ name, path }) => ({
      ...{ name, what: path },
      contenders: ['fovea', 'onnxruntime-web', 'onnxruntime-node'] as const,
    }))
    const works = [...netNames.map((name) => ({ name, what: name, contenders: ['fovea'] as const })), ...files]
    const matching = works.filter(({ name }) => name.includes(match))
    startup = await startupRows(starter, matching, values.quick ? 1 : 5, progress)
    tellStartup(startup)
  }
} finally {
  await starter.close()
}

const figures = {
  peakGflops: peaks.get(1),
  peaks: Object.fromEntries(peaks),
  node: process.versions.node,
  engine,
  processor: cpuName(),
  precision: values.precision,
  rows,
  startup,
}
if (values.json) writeFileSync(values.json, `${JSON.stringify(figures, null, 1)}\n`)
// folders are the reader's own
const given = process.argv.slice(2).map((word) => (word.includes('/') ? 'FOLDER' : word))
const heading = `# Benchmarks\n\nWritten by \`npm run bench -- ${given.join(' ')}\`.`
if (values.write) writeFileSync(`${root}../docs/benchmarks.md`, `${heading}\n\n${pages.join('\n\n')}\n`)
