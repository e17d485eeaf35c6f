import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import sirv from 'sirv'
import { fail } from '../base/errors.ts'
import { onInterrupt } from './interrupt.ts'
import type { Terminal } from './terminal.ts'

export interface ExploreCommand {
  readonly port?: number
  readonly open: boolean
}

/** The pages may run WebAssembly and talk to themselves: nothing inline, nothing from elsewhere, no eval. */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval'",
  // threads are workers made of a text
  "worker-src 'self' blob:",
  "style-src 'self'",
  "img-src 'self' blob: data:",
  "media-src 'self' blob:",
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ')

const headers = {
  'Content-Security-Policy': policy,
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
}

/** What pages need to have threads. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' }

export interface Site {
  /** Ends with a slash. */
  readonly url: string
  close(): Promise<void>
}

/**
 * Serves a folder to this computer only.
 * @param port 0 for any that is free
 * @param isolated without it pages have one thread
 */
export function serveSite(folder: string, port = 0, isolated = true): Promise<Site> {
  const all = Object.entries({ ...headers, ...(isolated ? isolation : {}) })
  const files = sirv(folder, {
    etag: true,
    setHeaders(response) {
      for (const [name, value] of all) response.setHeader(name, value)
    },
  })
  const server = createServer((request, response) => {
    files(request, response, () => {
      response.writeHead(404, { 'Content-Type': 'text/plain' }).end('not found\n')
    })
  })
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done())
          server.closeAllConnections()
        })
      resolve({ url: `http://127.0.0.1:${port}/`, close })
    })
  })
}

const opener: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['open'],
  win32: ['cmd', '/c', 'start', ''],
}

/** Shows an address in the user's browser; where there is none, the address has been printed. */
function openBrowser(url: string): void {
  const [command, ...args] = opener[process.platform] ?? ['xdg-open']
  const child = spawn(command!, [...args, url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}

/** `fovea explore`: serves the explorer until Ctrl-C. Returns the exit code. */
export async function exploreCommand(options: ExploreCommand, terminal: Terminal): Promise<number> {
  const folder = fileURLToPath(new URL('../explorer', import.meta.url))
  if (!existsSync(folder)) fail('explore', `the pages aren't built (${folder} is missing)`, "Run 'npm run build'")
  const site = await serveSite(folder, options.port)
  terminal.print(site.url)
  terminal.note('Only this computer can see it; Ctrl-C ends it.')
  if (options.open) openBrowser(site.url)
  const { signal, release } = onInterrupt(() => {})
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
  release()
  await site.close()
  return 0
}
