// What was measured once, kept for the next time: in the user's cache folder (Node) or the page's storage.
import { writeFileAtomic } from './files.ts'

type Environment = Readonly<Record<string, string | undefined>>

interface NodeProcess {
  readonly env: Environment
  readonly platform: string
  readonly arch: string
  readonly versions: Environment
  getBuiltinModule(name: string): unknown
}

const nodeProcess = (): NodeProcess | undefined => {
  const { process } = globalThis as { process?: NodeProcess }
  return process?.versions?.node ? process : undefined
}

interface FileFunctions {
  readFile(path: string, encoding: 'utf8'): Promise<string>
  mkdir(path: string, options: { recursive: true }): Promise<unknown>
}

const builtIn = <T>(name: string) => nodeProcess()!.getBuiltinModule(name) as T

function cacheFolder({ env, platform }: NodeProcess): string {
  const home = builtIn<{ homedir(): string }>('node:os').homedir()
  const usual = platform === 'darwin' ? `${home}/Library/Caches` : `${home}/.cache`
  return `${env.XDG_CACHE_HOME || (platform === 'win32' && env.LOCALAPPDATA) || usual}/fovea`
}

/** What engine and machine this is: what was measured holds for no other. */
export function machine(): string {
  const node = nodeProcess()
  if (!node) return globalThis.navigator?.userAgent ?? ''
  const [core] = builtIn<{ cpus(): { model: string }[] }>('node:os').cpus()
  return `V8 ${node.versions.v8} ${node.arch} ${core?.model}`
}

/** The text that was kept under a name; undefined if there is none, or none can be read. */
export async function readKept(name: string): Promise<string | undefined> {
  const node = nodeProcess()
  try {
    if (!node) return localStorage.getItem(`fovea.${name}`) ?? undefined
    return await builtIn<FileFunctions>('node:fs/promises').readFile(`${cacheFolder(node)}/${name}`, 'utf8')
  } catch {
    return undefined
  }
}

/** Keeps a text if that is possible; where it isn't (a full disk, a page without storage), nothing happens. */
export async function keep(name: string, text: string): Promise<void> {
  const node = nodeProcess()
  try {
    if (!node) return localStorage.setItem(`fovea.${name}`, text)
    await builtIn<FileFunctions>('node:fs/promises').mkdir(cacheFolder(node), { recursive: true })
    await writeFileAtomic(`${cacheFolder(node)}/${name}`, new TextEncoder().encode(text))
  } catch {
    // it will be measured again
  }
}
