import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readImage } from '../../src/data/index.ts'
import { mnist } from '../../src/data/mnist.ts'
import { barPng, classNames, commandBench, writeBars } from './command.ts'

const { folder, fovea } = commandBench()
const at = (name: string) => join(folder, name)
const escapeCode = '\x1b'

beforeAll(async () => {
  writeBars(at('bars'), 30)
  const trained = await fovea([
    'train',
    'lenet5',
    ...['--data', 'bars', '--epochs', '6', '--batch-size', '8', '--output', 'bars.safetensors'],
  ])
  expect(trained).toMatchObject({ code: 0, stderr: '' })
  expect(trained.stdout).toContain('training lenet5 (61111 parameters) on bars: 72 pictures of [28, 28, 1], 3 classes')
  expect(trained.stdout).toMatch(/epoch 6\/6 .*valAccuracy 1\.0000/)
  expect(trained.stdout).toContain('saved bars.safetensors')
  // without a terminal: whole lines only
  expect(trained.stdout).not.toContain(escapeCode)
  expect(trained.stdout).not.toContain('\r')
}, 120_000)

describe('a trained model', () => {
  test('is evaluated on the data it was trained on', async () => {
    const { code, stdout } = await fovea(['evaluate', 'bars.safetensors'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^loss \d\.\d{4} {2}accuracy 100\.00% \(0 of 18 wrong\)\n/)
    const rows = stdout.trim().split('\n').slice(1)
    expect(rows[0]).toMatch(/^true {4} +0 +1 +2 {2}predicted$/)
    expect(rows.slice(1).map((row) => row.slice(0, 8))).toEqual(classNames.map((name, i) => `${i} ${name}`.padEnd(8)))
    const counts = rows.slice(1).map((row) =>
      row
        .slice(8)
        .trim()
        .split(/\s+/)
        .map((n) => (n === '.' ? 0 : Number(n))),
    )
    expect(counts.flat().reduce((a, b) => a + b)).toBe(18)
    expect(counts.map((row, i) => row[i]).reduce((a, b) => a! + b!)).toBe(18)
  })

  test('predicts image files, inverted where the border is of the other kind', async () => {
    writeFileSync(at('right.png'), barPng(2, 77))
    writeFileSync(at('dark-on-light.png'), barPng(0, 78, true))
    const { code, stdout } = await fovea([
      'predict',
      'bars.safetensors',
      'right.png',
      'dark-on-light.png',
      '--top',
      '1',
    ])
    expect(code).toBe(0)
    const [first, best, second, bestOfSecond, ...rest] = stdout.trim().split('\n')
    expect(first).toBe('right.png')
    expect(best).toMatch(/^ {2}right +\d+\.\d% █+$/)
    expect(second).toContain('dark-on-light.png (inverted')
    expect(bestOfSecond).toMatch(/^ {2}left /)
    expect(rest).toEqual([])
  })

  test('shows what each layer makes of a picture, beside the picture', async () => {
    writeFileSync(at('shown.png'), barPng(1, 79))
    const { code, stdout } = await fovea(['show', 'bars.safetensors', 'shown.png'])
    expect([code, stdout]).toEqual([0, expect.stringContaining('drew shown.layers.png')])
    const { width, height } = await readImage(at('shown.layers.png'))
    expect(width).toBeGreaterThan(100)
    expect(height).toBeGreaterThan(200)
  })

  test('predicts as it is told to invert, and draws', async () => {
    writeFileSync(at('bar.png'), barPng(1, 79))
    const plain = await fovea(['predict', 'bars.safetensors', 'bar.png', '--draw'])
    expect(plain.stdout.split('\n')[5]).toMatch(/^[ .:]{10}[%#@*]{8}[ .:]*$/)
    const inverted = await fovea(['predict', 'bars.safetensors', 'bar.png', '--invert', '--draw'])
    expect(inverted.stdout.split('\n')[5]).toMatch(/^[%#@*]{10}[ .:]{8}[%#@*]{10}$/)
    expect(inverted.stdout).not.toContain('(inverted')
  })

  test('is explained from its file', async () => {
    const { code, stdout } = await fovea(['explain', 'bars.safetensors'])
    expect(code).toBe(0)
    expect(stdout).toContain('lenet5: [28, 28, 1] -> [3]')
  })

  test('refuses data of other classes', async () => {
    mkdirSync(at('two/a'), { recursive: true })
    mkdirSync(at('two/b'), { recursive: true })
    for (const name of ['a', 'b']) for (const i of [0, 1, 2]) writeFileSync(at(`two/${name}/${i}.png`), barPng(i, i))
    const { code, stderr } = await fovea(['evaluate', 'bars.safetensors', '--data', 'two'])
    expect(code).toBe(1)
    expect(stderr).toBe(
      'error: evaluate: the data has 2 classes, the model 3. Use the data that the model was trained on.\n',
    )
  })
})

describe('interruption', () => {
  const options = ['--data', 'bars', '--epochs', '25', '--batch-size', '7', '--seed', '5', '--augment']

  test('Ctrl-C leaves a checkpoint from which the same bits come out', async () => {
    const whole = await fovea(['train', 'lenet5', ...options, '--output', 'whole.safetensors'])
    expect(whole.code).toBe(0)
    const train = ['train', 'lenet5', ...options, '--output', 'parts.safetensors']
    const stopped = await fovea(train, { interruptAt: 'epoch 2/25' })
    expect(stopped.code).toBe(130)
    expect(stopped.stderr).toBe('stopping after this step; Ctrl-C again stops at once\n')
    expect(stopped.stdout).toContain(
      'stopped; checkpoint: parts.checkpoint.safetensors. ' +
        'Go on with: fovea train lenet5 --output parts.safetensors --resume\n',
    )
    expect(existsSync(at('parts.safetensors'))).toBe(false)
    // the checkpoint knows what it was asked for
    const resumed = await fovea(['train', 'lenet5', '--output', 'parts.safetensors', '--resume'])
    expect(resumed).toMatchObject({ code: 0, stderr: '' })
    expect(resumed.stdout).toMatch(/^resuming lenet5/)
    expect(resumed.stdout).not.toContain('epoch 1/25')
    expect(resumed.stdout).toContain('epoch 25/25')
    expect(readFileSync(at('parts.safetensors')).equals(readFileSync(at('whole.safetensors')))).toBe(true)
    expect(existsSync(at('parts.checkpoint.safetensors'))).toBe(false)
  })

  test('another seed gives other weights', async () => {
    const short = ['train', 'lenet5', '--data', 'bars', '--epochs', '1']
    await fovea([...short, '--output', 'one.safetensors', '--seed', '1'])
    await fovea([...short, '--output', 'two.safetensors', '--seed', '2'])
    expect(readFileSync(at('one.safetensors')).equals(readFileSync(at('two.safetensors')))).toBe(false)
  })

  test('a checkpoint by name, with options that differ from its own', async () => {
    const stopped = await fovea(['train', 'lenet5', ...options, '--output', 'named.safetensors'], {
      interruptAt: 'epoch 1/25',
    })
    expect(stopped.code).toBe(130)
    const resume = ['train', 'lenet5', '--resume', 'named.checkpoint.safetensors', '--batch-size', '9']
    const { code, stderr } = await fovea(resume)
    expect(code).toBe(1)
    expect(stderr).toContain('error: resume: batchSize was 7 and is 9')
  })
})

describe('start', () => {
  test('trains, measures, saves and draws digits', async () => {
    const { train, test: tests } = await mnist()
    for (const [name, set, count] of [
      ['train', train, 400],
      ['t10k', tests, 100],
    ] as const) {
      const { x, y } = set.batch(Uint32Array.from({ length: count }, (_, i) => i))
      mkdirSync(at('data/mnist'), { recursive: true })
      const images = Uint8Array.from([0, 0, 8, 3, 0, 0, count >> 8, count & 255, 0, 0, 0, 28, 0, 0, 0, 28])
      const labels = Uint8Array.from([0, 0, 8, 1, 0, 0, count >> 8, count & 255])
      const pixels = Uint8Array.from(x, (value) => Math.round(255 * value))
      writeFileSync(at(`data/mnist/${name}-images-idx3-ubyte`), Buffer.concat([images, pixels]))
      writeFileSync(at(`data/mnist/${name}-labels-idx1-ubyte`), Buffer.concat([labels, Uint8Array.from(y)]))
    }
    const { code, stdout, stderr } = await fovea(['start'], { env: { FOVEA_DATA: at('data') } })
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('100 test digits that it has never seen:')
    expect(stdout).toMatch(/accuracy \d+\.\d\d% \(\d+ of 100 wrong\)/)
    expect(stdout).toMatch(/^9( +(\.|\d+)){10}$/m)
    expect(stdout).toMatch(/^\d \(\d+\.\d%\)/m)
    expect(stdout).toMatch(/^ +[-:.=+*#%@]+ .*@/m)
    expect(stdout).toContain('saved runs/lenet5.safetensors; all in')
    expect(existsSync(at('runs/lenet5.safetensors'))).toBe(true)
  })
})
