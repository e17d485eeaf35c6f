import { existsSync } from 'node:fs'
import { defineConfig, type Plugin } from 'vite'
import { doors } from './doors.ts'
import { pages } from './shared/pages.ts'
import { shellFooter, shellHead, shellHeader } from './shared/shell.ts'

const here = new URL('.', import.meta.url).pathname
const built = pages.filter(({ path }) => existsSync(`${here}${path}/index.html`))

/** Puts what all pages have in common around each page's own head and main. */
const shell = (): Plugin => ({
  name: 'shell',
  transformIndexHtml: {
    order: 'pre',
    handler(html, { path }) {
      const folder = path.replace(/index\.html$/, '').replaceAll('/', '')
      return html
        .replace('<head>', `<head>${shellHead(folder)}`)
        .replace('<body>', `<body>${shellHeader(folder, built)}`)
        .replace('</body>', `${shellFooter()}</body>`)
    },
  },
})

const headers = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** The library's own word (package.json) names the files of dist. */
const treeshake = {
  moduleSideEffects: (id: string) => !id.includes('/src/') || /\/src\/(index|compile)\.ts$/.test(id),
}

export default defineConfig({
  root: here,
  // relative addresses: the site works in any folder of any host
  base: './',
  appType: 'mpa',
  cacheDir: `${here}../node_modules/.vite-explorer`,
  resolve: { alias: doors },
  plugins: [shell()],
  server: { headers },
  worker: { format: 'es' },
  build: {
    outDir: `${here}../dist/explorer`,
    emptyOutDir: true,
    target: 'es2022',
    reportCompressedSize: false,
    // a strict policy has no data: addresses of scripts, and an SVG as a file is cached
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: Object.fromEntries(built.map(({ path }) => [path || 'index', `${here}${path}/index.html`])),
      treeshake,
    },
  },
})
