import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { asHalves, halfBytes } from '../../../src/cli/reproduce/half.ts'
import { alexnetModern, lenet5 } from '../../../src/models/index.ts'
import { loadModel, readSafetensors } from '../../../src/nn/index.ts'

test('kernels take two bytes a value and are off by 2^-11 at most; the rest is as it was', () => {
  const model = lenet5()
  const bytes = halfBytes(model)
  const [before, after] = [readSafetensors(model.toBytes()), readSafetensors(bytes)]
  expect(bytes.length).toBeLessThan(0.55 * model.toBytes().length)
  expect([...after.tensors.keys()]).toEqual([...before.tensors.keys()])
  const kinds = new Set<string>()
  for (const [name, { dtype, shape, data }] of after.tensors) {
    const own = before.tensors.get(name)!
    kinds.add(dtype)
    expect(shape).toEqual(own.shape)
    const most = dtype === 'F16' ? 2 ** -11 : 0
    const off = Array.from(data, (v, i) => Math.abs(Number(v) - Number(own.data[i])) - most * Math.abs(Number(v)))
    // below 2^-14 halves have fewer digits
    expect(Math.max(...off)).toBeLessThanOrEqual(most * 2 ** -14)
  }
  expect(kinds).toEqual(new Set(['F16', 'F32']))
  expect(asHalves(model).config).toEqual(model.config)
})

test('the weights that come with fovea are less than a megabyte, and those of CIFAR-10 load', async () => {
  const folder = 'docs/systems/weights'
  const files = readdirSync(folder).map((name) => readFileSync(`${folder}/${name}`))
  expect(files.reduce((sum, { length }) => sum + length, 0)).toBeLessThan(1_000_000)
  const model = loadModel(readFileSync(`${folder}/alexnet-modern.safetensors`))
  expect(model.config).toEqual(alexnetModern().config)
  const answers = await model.predict(new Float32Array(32 * 32 * 3).fill(0.5))
  expect(answers.every(Number.isFinite)).toBe(true)
})
