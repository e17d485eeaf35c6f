// `npm run size`: bundles what a page needs to train LeNet-5 (test/package/consumer/train.ts) from dist, minified, and
// prints its size by room of src. Fails above the limit. What a page fetches only on demand (`import()`) is told apart.
import { gzipSync } from 'node:zlib'
import { build, minifySync } from 'vite'

/** Bytes of the bundle, gzipped. */
const limit = 60_000

const root = new URL('..', import.meta.url).pathname
// as a library: a page's build has helpers of Vite's own beside ours
const result = await build({
  root,
  configFile: false,
  logLevel: 'warn',
  build: {
    write: false,
    minify: false,
    target: 'es2022',
    lib: { entry: `${root}test/package/consumer/train.ts`, formats: ['es'] },
  },
})
const [{ output }] = /** @type {import('vite').Rolldown.RolldownOutput[]} */ (result)
const all = output.filter((part) => part.type === 'chunk')

/** The entry and all that it imports at once. */
const chunks = all.filter((chunk) => chunk.isEntry)
for (const chunk of chunks)
  chunks.push(...all.filter((other) => chunk.imports.includes(other.fileName) && !chunks.includes(other)))
const later = all.filter((chunk) => !chunks.includes(chunk))

/** @type {Map<string, string>} what is left of each room after tree-shaking */
const rooms = new Map()
for (const [path, module] of chunks.flatMap((chunk) => Object.entries(chunk.modules))) {
  const room = path.startsWith(`${root}dist/`) ? path.slice(root.length + 'dist/'.length).split('/')[0] : 'the page'
  rooms.set(room, `${rooms.get(room) ?? ''}${module.code ?? ''}\n`)
}

/** @param {string} code */
const gzipped = (code) => gzipSync(code, { level: 9 }).length
/** @param {(string | number)[]} cells */
const row = ([name, ...numbers]) => console.log(`${name}`.padEnd(20), ...numbers.map((n) => `${n}`.padStart(10)))

row(['room', 'minified', 'gzipped'])
const sizes = [...rooms].map(([room, code]) => {
  const small = minifySync(`${room}.js`, code, { compress: false, mangle: { toplevel: true } }).code
  return { room, bytes: small.length, gzip: gzipped(small) }
})
for (const { room, bytes, gzip } of sizes.sort((a, b) => b.gzip - a.gzip)) row([room, bytes, gzip])
/** @param {{ fileName: string, code: string }} chunk */
const minified = ({ fileName, code }) => minifySync(fileName, code, { module: true, compress: true, mangle: true }).code
const code = chunks.map(minified).join('')
row(['bundle', code.length, gzipped(code)])
for (const chunk of later) row([`(later: ${chunk.name})`, minified(chunk).length, gzipped(minified(chunk))])
console.log(
  `\nThe bundle is ${gzipped(code)} bytes gzipped, the limit ${limit} (rooms by themselves compress less well).`,
)
if (gzipped(code) > limit) {
  console.log('FAILED: above the limit')
  process.exitCode = 1
}
