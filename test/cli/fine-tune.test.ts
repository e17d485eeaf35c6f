import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { saveOnnx } from '../../src/formats/index.ts'
import { averagePool2d, conv2d, dense, flatten, sequential } from '../../src/nn/index.ts'
import { commandBench, writeBars } from './command.ts'

const { folder, fovea } = commandBench()
const at = (name: string) => join(folder, name)

describe('train --from', () => {
  test('puts a new last layer on a part of an imported model', async () => {
    writeBars(at('bars'), 30)
    const layers = [conv2d(8, 5, { activation: 'relu' }), averagePool2d(4), flatten(), dense(100)]
    writeFileSync(at('base.onnx'), saveOnnx(sequential([28, 28, 1], layers, { seed: 2 })))
    const cut = ['train', '--from', 'base.onnx', '--cut', 'averagepool_1']
    const lost = await fovea([...cut.slice(0, 3), '--cut', 'nowhere', 'bars'])
    expect(lost.code).toBe(1)
    expect(lost.stderr).toContain("onnxLayer: there is no node 'nowhere'. The last nodes are")
    const trained = await fovea([...cut, 'bars', '--epochs', '30', '--batch-size', '8', '--learning-rate', '0.05'])
    expect(trained).toMatchObject({ code: 0, stderr: '' })
    // a mean of each of 8 maps, 3 classes
    expect(trained.stdout).toContain('training base (27 parameters) on bars: 72 pictures of [28, 28, 1], 3 classes')
    expect(trained.stdout).toContain('saved runs/base.safetensors')
    const { code, stdout } = await fovea(['evaluate', 'runs/base.safetensors'])
    expect(code).toBe(0)
    expect(Number(/accuracy (\d+\.\d+)%/.exec(stdout)![1])).toBeGreaterThan(60)
    expect((await fovea(['train', 'lenet5', '--cut', 'x'])).stderr).toContain('there is a cut, but no model to cut')
  }, 120_000)
})
