import { describe, expect, test } from 'vitest'
import { shuffled } from '../../explorer/train/chance.ts'
import { codeOf } from '../../explorer/train/code.ts'
import { digitBytes } from '../../explorer/train/digits.node.ts'
import { blank, centred, fine, pixelsOf, stroke } from '../../explorer/train/drawing.ts'
import { frameOf } from '../../explorer/train/model.ts'
import { digits, shapes } from '../../explorer/train/pictures.ts'
import type { Settings } from '../../explorer/train/protocol.ts'
import { isKept, Session } from '../../explorer/train/session.ts'
import { presets, settingsOf, train } from '../../explorer/train/state.ts'
import { setThreads } from '../../src/index.ts'
import { fileOf } from './support/files.ts'

setThreads(1)

const usual: Settings = { ...settingsOf(train.usual), stopAt: 1 }
const small: Settings = { ...usual, data: 'shapes' }
const drawn = shapes()
const real = await digits(fileOf('train/digits.bin'))

async function begun(settings: Settings, data = drawn): Promise<Session> {
  const session = new Session(settings, data)
  await session.begin()
  return session
}

const losses = async (session: Session) => [...(await session.frame({ heldOut: 0 }, 0)).losses.values].join(' ')

describe('train: a session', () => {
  test('seed 1, 200 steps twice: the same losses; another seed, others', async () => {
    const texts: string[] = []
    for (const seed of [1, 1, 2]) {
      const session = await begun({ ...small, seed })
      await session.advance(200)
      texts.push(await losses(session))
    }
    expect(texts[0]!.split(' ')).toHaveLength(200)
    expect(texts[1]).toBe(texts[0])
    expect(texts[2]).not.toBe(texts[0])
  })

  test('going back and on gives the same numbers as the first time, also by slices with pauses', async () => {
    const session = await begun(small)
    await session.advance(40)
    const first = await losses(session)
    const kernels = (await session.frame({ heldOut: 0 }, 0)).kernels.data
    session.seek(8)
    expect(session.step).toBe(8)
    while (session.step < 40) {
      session.run()
      await session.slice(1)
      session.pause()
    }
    session.seek(8)
    await session.advance(32)
    expect(await losses(session)).toBe(first)
    expect((await session.frame({ heldOut: 0 }, 0)).kernels.data).toEqual(kernels)
    expect(() => session.seek(33)).toThrow("wasn't kept")
  })

  test('stops where it shall, and goes on when told to', async () => {
    const session = await begun({ ...small, stopAt: 0.5 })
    session.run()
    while (session.state === 'running') await session.slice(50)
    expect(session.state).toBe('done')
    const stopped = session.step
    const { accuracies } = await session.frame({ heldOut: 0 }, 0)
    expect(accuracies.at(-1)![1]).toBeGreaterThanOrEqual(0.5)
    session.run()
    await session.slice(50)
    expect(session.step).toBeGreaterThan(stopped)
  })

  test('digits: 95% of the held-out ones within 600 steps', async () => {
    const session = await begun({ ...usual, stopAt: 0.95 }, real)
    session.run()
    while (session.state === 'running' && session.step < 600) await session.slice(50)
    expect(session.state).toBe('done')
  })

  test('a rate beyond all bounds is told', async () => {
    const session = await begun({ ...small, optimizer: 'sgd', learningRate: 1e30 })
    await expect(session.advance(20)).rejects.toThrow('lower the learning rate')
  })

  test('eight steps are kept for each doubling', () => {
    const kept = Array.from({ length: 5001 }, (_, i) => i).filter(isKept)
    expect(kept.slice(0, 19)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20])
    expect(kept.length).toBeLessThan(90)
  })

  test('what is shown is what the model holds', async () => {
    const session = await begun(small)
    await session.advance(3)
    const { views } = frameOf(session.facts, await session.frame({ heldOut: 4 }, 0))
    expect(views.map(({ name }) => name).slice(0, 5)).toEqual(['start', 'kernels', 'slope', 'picture', 'conv2d_1'])
    const picture = drawn.heldOut.x.subarray(4 * 400, 5 * 400)
    expect(Array.from(views[3]!.values as Float32Array)).toEqual([...picture])
    expect(views[0]!.values).not.toEqual(views[1]!.values)
  })

  test('every preset’s network is built, and its code in three libraries names it', async () => {
    for (const { fragment } of presets) {
      const { state } = train.read(fragment)
      const { facts } = new Session(settingsOf(state), state.data === 'digits' ? real : drawn)
      const code = codeOf(state, facts.code)
      for (const text of Object.values(code)) expect(text).toContain(String(facts.classes.length))
      expect(facts.parameters).toBeGreaterThan(1000)
    }
  })
})

describe('train: pictures', () => {
  test('the file of digits is what MNIST holds', () => {
    const bytes = digitBytes()
    expect(real.train.y.length + real.heldOut.y.length).toBe(6000)
    expect([...real.train.y.subarray(0, 5)]).toEqual([...bytes.subarray(0, 5)])
    expect(Math.round(255 * real.heldOut.x[5 * 784 + 300]!)).toBe(bytes[6000 + 5005 * 784 + 300])
    expect(fileOf('train/digits.bin').byteLength).toBeLessThan(1.5e6)
  })

  test('a damaged file of digits is refused', async () => {
    await expect(digits(fileOf('train/digits.bin').slice(0, 5000))).rejects.toThrow()
    await expect(digits(new ArrayBuffer(9))).rejects.toThrow()
  })

  test('an order holds each index once', () => {
    const order = shuffled(100, 1, 0)
    expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: 100 }, (_, i) => i))
    expect(order).not.toEqual(shuffled(100, 1, 1))
    expect(order).toEqual(shuffled(100, 1, 0))
  })

  test('a drawing is centred and 20 of 28 pixels long, wherever it was drawn', () => {
    const line = (x: number) => stroke(blank(28), [x * fine, 4 * fine], [x * fine, 12 * fine], 4)
    const [left, right] = [centred(line(6)), centred(line(20))]
    expect(left).toEqual(right)
    const rows = Array.from({ length: 28 }, (_, y) => left.subarray(28 * y, 28 * y + 28).some((v) => v > 0.5))
    expect(rows.indexOf(true)).toBeCloseTo(4, -0.5)
    expect(rows.filter(Boolean).length).toBeGreaterThanOrEqual(19)
    expect(centred(blank(28)).every((v) => v === 0)).toBe(true)
    expect(Math.max(...pixelsOf(line(6)))).toBe(1)
  })
})
