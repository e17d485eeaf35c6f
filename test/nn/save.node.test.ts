import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import * as nn from '../../src/nn/index.ts'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fovea-save-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('save and loadModelFile, over an older file, leaving nothing beside it', async () => {
  const model = nn.sequential([3], [nn.dense(2)])
  const path = join(folder, 'model.safetensors')
  await writeFile(path, 'older')
  await model.save(path)
  expect((await nn.loadModelFile(path)).toBytes()).toEqual(model.toBytes())
  expect(await readdir(folder)).toEqual(['model.safetensors'])
})

test('a file that cannot be written leaves nothing behind', async () => {
  const model = nn.sequential([3], [nn.dense(2)])
  await expect(model.save(join(folder, 'none', 'model'))).rejects.toThrow('ENOENT')
  await expect(model.save(folder)).rejects.toThrow()
  expect(await readdir(folder)).toEqual(['model.safetensors'])
})

test('on a page, an error says what to do', async () => {
  vi.stubGlobal('process', undefined)
  try {
    const saved = nn.sequential([3], [nn.dense(2)]).save('x')
    await expect(saved).rejects.toThrow('writeFile: there are no files on a page. Fetch the bytes')
  } finally {
    vi.unstubAllGlobals()
  }
})
