// The README's code on tensors runs and prints what its comments say.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'

const root = new URL('../..', import.meta.url).pathname
const readme = readFileSync(join(root, 'README.md'), 'utf8')
const blocks = [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1]!)

test('the code on tensors prints what its comments say', async () => {
  const code = blocks.find((block) => block.includes("from 'fovea'"))!
  const folder = join(root, `runs/readme-${process.pid}`)
  const printed: number[][] = []
  const log = vi.spyOn(console, 'log').mockImplementation((list: Float32Array) => {
    printed.push([...list].map((value) => Math.round(value * 1000) / 1000))
  })
  try {
    mkdirSync(folder, { recursive: true })
    const file = join(folder, 'example.ts')
    writeFileSync(file, code.replace("from 'fovea'", `from '${join(root, 'src/index.ts')}'`))
    await import(/* @vite-ignore */ file)
  } finally {
    log.mockRestore()
    rmSync(folder, { recursive: true, force: true })
  }
  const said = [...code.matchAll(/Float32Array \[([^\]]*)\]/g)].map((match) => match[1]!.split(',').map(Number))
  expect(said.length).toBe(2)
  expect(printed).toEqual(said)
})

test('every file and command that the README names is there', () => {
  const scripts = Object.keys(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).scripts)
  for (const [, name] of readme.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toContain(name)
  for (const [, path] of readme.matchAll(/\]\((?!http)([^)#]+)\)/g))
    expect(() => readFileSync(join(root, path!))).not.toThrow()
})
