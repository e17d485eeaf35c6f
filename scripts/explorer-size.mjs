// `npm run size`, second part: what each page of the explorer loads, gzipped, against its budget. A page's script is
// told apart by where its modules come from: the library (src), the page's own folder, and the shell around them.
import { gzipSync } from 'node:zlib'
import { build, minifySync } from 'vite'

/** Budgets in bytes, gzipped. */
const budgets = { html: 14_000, shell: 22_000, page: 20_000, library: 20_000, train: 130_000 }
/** Pages that only need to know what a convolution is. */
const light = ['index', 'slide', 'shape', 'borders', 'channels']
/** Files that pages fetch, in bytes. */
const assets = [
  { what: 'photo', pattern: /\.(webp|jpe?g|png)$/, most: 60_000 },
  { what: 'data', pattern: /\.(bin|onnx|safetensors|json)$/, most: 1_500_000 },
]

const root = new URL('..', import.meta.url).pathname
const result = await build({
  configFile: `${root}explorer/vite.config.ts`,
  logLevel: 'error',
  build: { write: false },
})
const { output } = /** @type {import('vite').Rolldown.RolldownOutput} */ (Array.isArray(result) ? result[0] : result)
const chunks = output.filter((part) => part.type === 'chunk')
const files = output.filter((part) => part.type === 'asset')

/** @param {string | Uint8Array} text */
const gzipped = (text) => gzipSync(text, { level: 9 }).length

/** @typedef {import('vite').Rolldown.OutputChunk} Chunk */

/**
 * A chunk and all that it loads at once.
 * @param {Chunk} entry
 */
function closure(entry) {
  const all = [entry]
  for (const chunk of all)
    all.push(...chunks.filter((other) => chunk.imports.includes(other.fileName) && !all.includes(other)))
  return all
}

/**
 * Scripts that a page may load later: on demand, and in workers.
 * @param {Chunk[]} loaded
 */
function later(loaded) {
  const found = new Map(loaded.map((chunk) => [chunk.fileName, chunk.code]))
  const scripts = new Map([
    ...chunks.map((chunk) => /** @type {const} */ ([chunk.fileName, chunk.code])),
    ...files
      .filter((file) => file.fileName.endsWith('.js'))
      .map((file) => /** @type {const} */ ([file.fileName, String(file.source)])),
  ])
  for (const code of found.values())
    for (const [name, text] of scripts) {
      const short = /** @type {string} */ (name.split('/').pop())
      if (!found.has(name) && code.includes(short)) found.set(name, text)
    }
  return [...found.values()].reduce((sum, code) => sum + gzipped(code), 0)
}

/** @param {string} id */
function roomOf(id) {
  if (id.startsWith(`${root}src/`)) return 'library'
  if (id.startsWith(`${root}explorer/`) && !id.startsWith(`${root}explorer/shared/`)) return 'page'
  return 'shell'
}

let failed = 0
/** @param {string} name @param {number} bytes @param {number} most */
function check(name, bytes, most) {
  if (bytes <= most) return `${bytes}`.padStart(9)
  console.log(`FAILED: ${name} is ${bytes} bytes, the limit ${most}`)
  failed++
  return `${bytes}!`.padStart(9)
}

console.log(['page'.padEnd(10), ...['html+css', 'shell', 'page', 'library', 'all'].map((t) => t.padStart(9))].join(''))
for (const entry of chunks.filter((chunk) => chunk.isEntry)) {
  const { name } = entry
  const loaded = closure(entry)
  /** @type {Record<string, string>} */
  const code = { shell: '', page: '', library: '' }
  for (const [id, module] of loaded.flatMap((chunk) => Object.entries(chunk.modules)))
    code[roomOf(id)] += `${module.code ?? ''}\n`
  /** @param {string} room */
  const size = (room) =>
    gzipped(minifySync(`${room}.js`, code[room] ?? '', { compress: false, mangle: { toplevel: true } }).code)
  const html = files.find((file) => file.fileName === (name === 'index' ? 'index.html' : `${name}/index.html`))
  const styles = files.filter(
    (file) => file.fileName.endsWith('.css') && String(html?.source).includes(file.fileName.split('/').pop() ?? ''),
  )
  const markup = [html, ...styles].reduce((sum, file) => sum + gzipped(file?.source ?? ''), 0)
  console.log(
    [
      name.padEnd(10),
      check(`${name}: html and css`, markup, budgets.html),
      check(`${name}: shell`, size('shell'), budgets.shell),
      check(`${name}: page`, size('page'), budgets.page),
      light.includes(name)
        ? check(`${name}: library`, size('library'), budgets.library)
        : `${size('library')}`.padStart(9),
      name === 'train' ? check('train: all scripts', later(loaded), budgets.train) : `${later(loaded)}`.padStart(9),
    ].join(''),
  )
}
for (const { what, pattern, most } of assets)
  for (const file of files.filter(({ fileName }) => pattern.test(fileName)))
    console.log(
      `${what} ${file.fileName.split('/').pop()}: ${check(file.fileName, file.source.length, most).trim()} bytes`,
    )
if (failed > 0) process.exitCode = 1
