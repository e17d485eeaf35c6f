import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { fit as fitModel } from '../../src/nn/fit.ts'
import { dense, loadModelFile, sequential } from '../../src/nn/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'fovea-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('checkpoints go to a file and are resumed from it', async () => {
  const path = join(folder, 'run.safetensors')
  const data = { x: [1, 2, 3, 4], y: [0, 1, 1, 0] }
  const build = () => sequential([1], [dense(2)])
  const [model, again, straight] = [build(), build(), build()]
  await fitModel(model, data, { epochs: 2, batchSize: 2, checkpoint: { path }, verbose: false })
  expect(readdirSync(folder)).toEqual(['run.safetensors'])
  expect((await loadModelFile(path)).parameters[0].read()).toEqual(model.parameters[0].read())
  await fitModel(again, data, { epochs: 3, batchSize: 2, resume: path, verbose: false })
  await fitModel(straight, data, { epochs: 3, batchSize: 2, verbose: false })
  expect(again.parameters[0].read()).toEqual(straight.parameters[0].read())
  await expect(fitModel(again, data, { resume: join(folder, 'none'), verbose: false })).rejects.toThrow('none')
})
