import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { lenet5 } from '../../src/models/index.ts'
import { writeSafetensors } from '../../src/nn/index.ts'
import { commandBench, writeBars } from './command.ts'

const { folder, fovea } = commandBench()
const at = (name: string) => join(folder, name)

beforeAll(async () => {
  mkdirSync(at('empty'))
  writeBars(at('bars'), 3)
  writeFileSync(at('notes.txt'), 'no picture, no model')
  await lenet5().save(at('fresh.safetensors'))
  writeFileSync(at('damaged.safetensors'), writeSafetensors([], { trained: '{' }))
})

describe('help', () => {
  test.each(['train', 'evaluate', 'predict', 'show', 'reproduce', 'explain', 'conv', 'models', 'build', 'start'])(
    '%s has examples',
    async (name) => {
      const { code, stdout } = await fovea([name, '--help'])
      expect(code).toBe(0)
      expect(stdout).toMatch(new RegExp(`Examples:\n {2}\\$ fovea ${name}`))
    },
  )

  test('the version is the package’s', async () => {
    const { code, stdout } = await fovea(['--version'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  })
})

describe('usage errors end with 2', () => {
  const cases: [name: string, args: string[], message: string][] = [
    ['no command', [], 'Usage: fovea'],
    ['an unknown command', ['trian'], "unknown command 'trian'"],
    ['an unknown option', ['train', 'lenet5', '--epoch', '3'], "unknown option '--epoch'"],
    ['no network', ['train'], "missing required argument 'network'"],
    ['no image', ['predict', 'fresh.safetensors'], "missing required argument 'image'"],
    ['epochs 0', ['train', 'lenet5', '--epochs', '0'], 'It must be a whole number >= 1.'],
    ['epochs 1.5', ['train', 'lenet5', '--epochs', '1.5'], 'It must be a whole number >= 1.'],
    ['batch size x', ['train', 'lenet5', '--batch-size', 'x'], 'It must be a whole number >= 1.'],
    ['seed -1', ['train', 'lenet5', '--seed=-1'], 'It must be a whole number >= 0.'],
    ['learning rate 0', ['train', 'lenet5', '--learning-rate', '0'], 'It must be a number > 0.'],
    ['learning rate NaN', ['train', 'lenet5', '--learning-rate', 'NaN'], 'It must be a number > 0.'],
    ['top 0', ['predict', 'fresh.safetensors', 'a.png', '--top', '0'], 'It must be a whole number >= 1.'],
    ['batch size 0', ['explain', 'lenet5', '--batch-size', '0'], 'It must be a whole number >= 1.'],
  ]
  test.each(cases)('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await fovea(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

describe('errors end with 1 and one line', () => {
  const cases: [name: string, args: string[], message: string][] = [
    ['an unknown system', ['reproduce', 'perceptron'], "there is no system 'perceptron'. Use one of cells"],
    [
      'an unknown network',
      ['train', 'lenet6'],
      "error: createModel: there is no model 'lenet6'. Use one of lenet5, lenet5-1998, separable, vgg-like",
    ],
    [
      'unknown data',
      ['train', 'lenet5', '--data', 'mnst'],
      "error: data: there is no data set and no folder 'mnst'. Use mnist, fashion-mnist, or a folder",
    ],
    ['a folder without classes', ['train', 'lenet5', '--data', 'empty'], 'error: imageFolder: empty has no folders'],
    [
      'an unknown optimiser',
      ['train', 'lenet5', '--optimizer', 'adm'],
      "error: optimizer: there is no optimiser 'adm'",
    ],
    [
      'a seed that is too large',
      ['train', 'lenet5', '--data', 'bars', '--seed', '99999999'],
      'error: model: seed 99999999 is too large',
    ],
    [
      'no checkpoint',
      ['train', 'lenet5', '--resume'],
      'error: resume: there is no checkpoint runs/lenet5.checkpoint.safetensors. Train from the start',
    ],
    [
      'a model in place of a checkpoint',
      ['train', 'lenet5', '--data', 'bars', '--resume', 'fresh.safetensors'],
      'error: resume: the file holds a model, but not the state of its training',
    ],
    ['no model file', ['evaluate', 'none.safetensors'], "error: evaluate: none.safetensors can't be read"],
    ['a folder as a model', ['evaluate', 'empty'], 'error: evaluate: empty is a folder'],
    ['a name as a trained model', ['predict', 'lenet5', 'a.png'], "error: predict: 'lenet5' names a network without"],
    ['no model in the file', ['explain', 'notes.txt'], 'error: readSafetensors: '],
    ['an unknown model to explain', ['explain', 'lenet6'], "error: explain: there is no file and no network 'lenet6'"],
    [
      'a model that names no data',
      ['evaluate', 'fresh.safetensors'],
      "error: evaluate: fresh.safetensors doesn't say which data it was trained on. Name the data: --data mnist",
    ],
    [
      'a damaged note about the training',
      ['evaluate', 'damaged.safetensors'],
      "error: model file: its metadata 'trained' can't be read. Train and save it again.",
    ],
    ['no image file', ['predict', 'fresh.safetensors', 'none.png'], "error: readImage: none.png can't be read"],
    [
      'not an image',
      ['predict', 'fresh.safetensors', 'notes.txt'],
      'error: decodeImage: notes.txt (20 bytes) is neither',
    ],
    ['not a convolution', ['conv', 'k3'], "error: parseSpec: 'k3' isn't a convolution"],
    ['an unknown stage', ['conv', 'n1 8x8 c4 -> 4 k3', '--show', 'asm'], "error: conv: stage 'asm' is unknown"],
    [
      'an unknown operation',
      ['conv', 'n1 8x8 c4 -> 4 k3', '--operation', 'x'],
      "error: conv: operation 'x' is unknown",
    ],
  ]
  test.each(cases)('%s', async (_, args, message) => {
    const { code, stderr } = await fovea(args)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
    expect(stderr.trimEnd().split('\n')).toHaveLength(1)
  })

  test('FOVEA_DEBUG shows where it came from', async () => {
    const { code, stderr } = await fovea(['train', 'lenet6'], { env: { FOVEA_DEBUG: 'check' } })
    expect(code).toBe(1)
    expect(stderr).toMatch(/there is no model 'lenet6'(.|\n)*\n {4}at /)
  })
})

describe('views', () => {
  test('models are listed', async () => {
    const { code, stdout } = await fovea(['models'])
    expect(code).toBe(0)
    expect(stdout.split('\n')).toContain('lenet5')
  })

  test('explain as JSON', async () => {
    const { code, stdout } = await fovea(['explain', 'lenet5', '--json', '--batch-size', '2'])
    expect(code).toBe(0)
    const { layers, parameters, batchSize } = JSON.parse(stdout)
    expect({ parameters, batchSize, layers: layers.length }).toEqual({ parameters: 61706, batchSize: 2, layers: 9 })
    expect(layers[1].formulas).toEqual(['floor((28 + 2 + 2 - 1*(5-1) - 1) / 1) + 1 = 28'])
  })

  test('conv shows every stage and checks it', async () => {
    const stages = ['--show', 'spec,plan,kernel,wat', '--check', '--operation', 'output']
    const { code, stdout } = await fovea(['conv', 'n1 8x8 c4 -> 4 k3 s1 p1', ...stages])
    expect(code).toBe(0)
    expect(stdout).toContain('spec       n1 8x8 c4 -> 4 k3 s1 p1 d1 g1')
    expect(stdout).toMatch(/check {6}largest error \S+ of the largest result, 0\.\d+ of the bound\n/)
    expect(stdout).toContain('(func')
    expect(stdout).not.toContain('== kernelGradient')
  })

  test('conv takes a transposed layer, and shows the gradient that it is', async () => {
    const { code, stdout } = await fovea(['conv', 'transposed n1 3x3 c4 -> 2 k4 s2 p1', '--check'])
    expect(code).toBe(0)
    expect(stdout).toContain('x [1,6,6,2], w [4,4,2,4], y [1,3,3,4]')
    expect(stdout).toContain('== inputGradient')
    expect(stdout).not.toContain('== output')
  })

  test('conv chooses by precision', async () => {
    const spec = 'n1 20x20 c32 -> 32 k3 p1'
    const { stdout } = await fovea([
      'conv',
      spec,
      '--show',
      'plan',
      '--operation',
      'output',
      '--precision',
      'fast',
      '--check',
    ])
    expect(stdout).toContain('winograd F(4x4, 3x3) output')
    expect(stdout).toMatch(/check .* of the bound\n/)
    const wrong = await fovea(['conv', spec, '--precision', 'quick'])
    expect(wrong.code).not.toBe(0)
    expect(wrong.stderr).toContain("conv: precision 'quick' is unknown. Use direct, high, fast")
  })
})
