// Every public name has a docstring: `npm run docs` makes the reference of them.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { API, type Symbol as Name, type Project, SymbolFlags } from 'typescript/unstable/sync'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const manifest: { exports: Record<string, { types?: string }> } = JSON.parse(
  readFileSync(join(root, 'package.json'), 'utf8'),
)
/** Imported for what it adds, not for names. */
const nameless = 'src/fft.ts'
/** Source files of the doors: './dist/nn/index.d.ts' is made of src/nn/index.ts. */
const doors = Object.values(manifest.exports)
  .flatMap(({ types }) => (types ? [types.replace('./dist/', 'src/').replace('.d.ts', '.ts')] : []))
  .filter((door) => door !== nameless)

const api = new API({ cwd: root })
let project: Project

beforeAll(() => {
  const config = join(root, 'tsconfig.build.json')
  project = api.updateSnapshot({ openProjects: [config] }).getProject(config)!
})
afterAll(() => api.close())

const exportsOf = (door: string) => {
  const file = project.program.getSourceFile(join(root, door))
  return project.checker.getExportsOfModule(project.checker.getSymbolAtLocation(file!)!)
}

/** Whether `export * as name` has a docstring: the checker knows those of other declarations only. */
const namespaceDocumented = (name: Name) =>
  name.declarations.some((declaration) => (declaration.resolve(project)?.parent.jsDoc?.length ?? 0) > 0)

/** Names, and those in namespaces, that have no docstring. */
function bare(names: readonly Name[], before: string): string[] {
  const { checker } = project
  return names.flatMap((name) => {
    const target = name.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(name) : name
    const path = `${before}${name.name}`
    if (target.flags & SymbolFlags.ValueModule)
      return [...(namespaceDocumented(name) ? [] : [path]), ...bare(checker.getExportsOfModule(target), `${path}.`)]
    return checker.getDocumentationCommentOfSymbol(target).length > 0 ? [] : [path]
  })
}

test('the doors are those of the package', () => {
  expect(doors).toContain('src/index.ts')
  expect(doors).toContain('src/nn/index.ts')
  const reference: { entryPoints: string[] } = JSON.parse(
    readFileSync(join(root, 'scripts/reference/typedoc.json'), 'utf8'),
  )
  expect(reference.entryPoints.map((path) => path.replace('../../', ''))).toEqual(doors)
})

test('every public name has a docstring', () => {
  expect(exportsOf(nameless)).toEqual([])
  for (const door of doors) expect(exportsOf(door).length).toBeGreaterThan(10)
  expect(doors.flatMap((door) => bare(exportsOf(door), `${door}: `))).toEqual([])
})
