// The rooms of src/ and who may import whom. A new arrow is a decision: change the table only with a reason.
import { readdirSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { describe, expect, test } from 'vitest'

const core = ['base', 'conv', 'graph', 'kernel', 'plan', 'targets', 'runtime']
const arrows: Record<string, string[]> = {
  base: [],
  conv: ['base'],
  graph: ['conv', 'base'],
  kernel: ['base'],
  plan: ['conv', 'kernel', 'base'],
  targets: ['kernel', 'base'],
  runtime: ['base'],
  program: core,
  tree: [],
  compile: [...core, 'program', 'tree'],
  int8: ['conv', 'graph', 'plan'],
  fft: ['plan'],
  nn: ['conv', 'graph', 'compile', 'tree', 'runtime', 'base'],
  models: ['nn', 'graph', 'compile', 'base'],
  data: ['base', 'runtime'],
  formats: ['conv', 'graph', 'int8', 'compile', 'nn', 'runtime', 'base'],
  index: [...core, 'int8', 'program', 'compile', 'tree'],
  cli: [...core, 'int8', 'fft', 'program', 'compile', 'tree', 'nn', 'models', 'data', 'formats', 'index'],
}
/** Rooms that may import npm packages and Node's own modules. */
const outward = ['data', 'cli', 'formats']
const nodeOnly = 'src/runtime/node.ts'

function filesOf(folder: string): string[] {
  const names = readdirSync(folder, { recursive: true }) as string[]
  return names
    .map((name) => posix.join(folder, name))
    .filter((path) => /\.(ts|mjs)$/.test(path) && !path.includes('node_modules'))
}

/** What a file imports or exports from: the text between the quotes. */
function importsOf(path: string): string[] {
  const source = readFileSync(path, 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^\s*\/\/.*$/gm, '')
  const statement = /^\s*(?:import|export)\b[^'"`;=()]*?from\s*['"]([^'"]+)['"]|^\s*import\s*['"]([^'"]+)['"]/gm
  const call = /\bimport\(\s*['"]([^'"]+)['"]\s*\)/g
  return [...source.matchAll(statement), ...source.matchAll(call)].map((match) => match[1] ?? match[2])
}

/** The room of a file: its folder under src, or its own name for a file that lies in src itself. */
const roomOf = (path: string) => path.split('/')[1].replace(/\.ts$/, '')

function complaintsOf(path: string): string[] {
  const room = roomOf(path)
  if (!(room in arrows)) return [`${path}: room '${room}' is not in the table of arrows`]
  return importsOf(path).flatMap((target) => {
    if (!target.startsWith('.')) {
      const allowed = outward.includes(room) || (path === nodeOnly && target.startsWith('node:'))
      return allowed ? [] : [`${path}: imports '${target}', but room '${room}' depends on nothing outside`]
    }
    if (!target.endsWith('.ts')) return [`${path}: imports '${target}' without the extension .ts`]
    const other = roomOf(posix.join(posix.dirname(path), target))
    return other === room || arrows[room].includes(other) ? [] : [`${path}: '${room}' must not import '${other}'`]
  })
}

const sources = filesOf('src')

describe('structure', () => {
  test('the walk finds the sources and their imports', () => {
    expect(sources).toContain('src/data/index.ts')
    expect(importsOf('src/data/index.ts')).toContain('./dataset.ts')
  })

  test('imports follow the arrows', () => {
    expect(sources.flatMap(complaintsOf)).toEqual([])
  })

  test('a target never imports conv or plan, a plan never imports a target', () => {
    expect(arrows.targets).not.toContain('conv')
    expect(arrows.targets).not.toContain('plan')
    expect(arrows.plan).not.toContain('targets')
  })

  test('no line is wider than 120 characters', () => {
    const wide = [...sources, ...filesOf('scripts')].flatMap((path) =>
      readFileSync(path, 'utf8')
        .split('\n')
        .flatMap((line, i) => (line.length > 120 ? [`${path}:${i + 1}`] : [])),
    )
    expect(wide).toEqual([])
  })

  test('no file is longer than 400 lines', () => {
    const long = [...sources, ...filesOf('test'), ...filesOf('scripts')]
      .map((path) => ({ path, lines: readFileSync(path, 'utf8').trimEnd().split('\n').length }))
      .filter(({ lines }) => lines > 400)
    expect(long).toEqual([])
  })
})
