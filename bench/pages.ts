import { readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Names, Request } from './contender.ts'
import { unpackedModel } from './network-files.ts'
import { plain } from './peers.ts'
import type { Process, Starter } from './processes.ts'

const here = new URL('../../', import.meta.url).pathname
const served = `${here}dist/pages/`
/** Folders of peers that are served as they are: their WebAssembly and its workers. */
const folders: Readonly<Record<string, string>> = {
  'ort/': `${here}node_modules/onnxruntime-web/dist/`,
  'tfjs-wasm/': `${here}node_modules/@tensorflow/tfjs-backend-wasm/dist/`,
}

/** Bundles what pages run: ours, and each peer as a module of its own name. */
async function bundle(): Promise<void> {
  const { build } = await import('vite')
  const peers = ['@jax-js/jax', '@tensorflow/tfjs', '@tensorflow/tfjs-backend-wasm']
  await build({
    configFile: false,
    root: here,
    logLevel: 'error',
    build: {
      outDir: served,
      emptyOutDir: true,
      target: 'esnext',
      // tfjs makes its workers of its functions' texts
      minify: false,
      modulePreload: false,
      rolldownOptions: {
        input: { page: `${here}page.ts`, ...Object.fromEntries(peers.map((name) => [plain(name), name])) },
        output: { entryFileNames: '[name].js' },
        preserveEntrySignatures: 'strict',
        // what only Node runs of the modules that both share
        onwarn() {},
      },
    },
  })
}

const types: Readonly<Record<string, string>> = {
  html: 'text/html',
  js: 'text/javascript',
  mjs: 'text/javascript',
  wasm: 'application/wasm',
}
/** What pages need to have threads. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

/** Serves the bundle, the peers' folders and models, to this computer only. */
async function serve() {
  const models: string[] = []
  const contentOf = (path: string): Uint8Array | string => {
    if (path === '') return '<!doctype html><title>fovea bench</title><script type="module" src="page.js"></script>'
    const model = /^models\/(\d+)$/.exec(path)
    if (model) return unpackedModel(models[Number(model[1])]!)
    const folder = Object.keys(folders).find((name) => path.startsWith(name))
    return readFileSync(folder ? folders[folder] + path.slice(folder.length) : served + path)
  }
  const server = createServer((request, response) => {
    const path = new URL(request.url!, 'http://localhost').pathname.slice(1)
    const type = types[path.split('.').at(-1) || 'html'] ?? 'application/octet-stream'
    try {
      const content = contentOf(path)
      response.writeHead(200, { 'Content-Type': type, 'Cross-Origin-Resource-Policy': 'same-origin', ...isolation })
      response.end(content)
    } catch {
      response.writeHead(404).end()
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    urlOf: (path: string) => `http://127.0.0.1:${port}/models/${models.push(path) - 1}`,
    close: () => server.close(),
  }
}

interface Decoded {
  output?: string | Float32Array
}

/** Starts contenders in pages of headless Chromium, each in a process of its own. */
export async function pageStarter(precision: string): Promise<Starter & { readonly version: string }> {
  const [{ chromium: driver }, { launchOptions }] = await Promise.all([
    import('playwright'),
    import('../scripts/chromium.mjs'),
    bundle(),
  ])
  if (!launchOptions.executablePath) throw new Error('bench: no Chromium here. Install it, or leave out --pages')
  const site = await serve()
  const browser = await driver.launch(launchOptions)

  async function open(name: Names) {
    // pages of one context would share a process
    const context = await browser.newContext()
    const page = await context.newPage()
    const said: string[] = []
    page.on('pageerror', (error) => said.push(error.message))
    await page.goto(`${site.url}?name=${name}&precision=${precision}`)
    await page.waitForFunction(() => 'fovea' in globalThis)
    return { context, page, said }
  }

  const ends = new Set<() => void>()

  function start(name: Names): Process {
    let opened: ReturnType<typeof open> | undefined
    const end = () => {
      void opened?.then(({ context }) => context.close()).catch(() => undefined)
      opened = undefined
    }
    ends.add(end)
    const asked = (request: Request) =>
      request.kind === 'prepare' && request.job.kind === 'network'
        ? { ...request, job: { ...request.job, path: site.urlOf(request.job.path) } }
        : request
    return {
      name,
      end,
      async ask(request, limit = 600_000) {
        opened ??= open(name)
        const { page, said } = await opened
        let timer: NodeJS.Timeout | undefined
        const late = new Promise<never>((_, reject) => {
          timer = setTimeout(() => {
            end()
            reject(new Error(`no answer in ${limit / 1000} s ${said.at(-1) ?? ''}`.trim()))
          }, limit)
        })
        const call = page.evaluate(
          (what) => (globalThis as unknown as { fovea: { ask(what: Request): Promise<unknown> } }).fovea.ask(what),
          asked(request),
        )
        // whoever was late is heard no more
        call.catch(() => undefined)
        try {
          const value = (await Promise.race([call, late])) as Decoded | undefined
          if (typeof value?.output === 'string') {
            const bytes = Uint8Array.from(Buffer.from(value.output, 'base64'))
            value.output = new Float32Array(bytes.buffer)
          }
          return value as never
        } catch (error) {
          throw new Error((error as Error).message.replace(/^page\.evaluate: (Error: )?/, '').split('\n')[0])
        } finally {
          clearTimeout(timer)
        }
      },
    }
  }
  return {
    start,
    version: `Chromium ${browser.version()}`,
    fixed: ['onnxruntime-web', 'tfjs-wasm'],
    alwaysOne: ['tfjs-cpu', 'jax-js'],
    endAll() {
      for (const end of ends) end()
    },
    async close() {
      await browser.close()
      site.close()
    },
  }
}
