import { EventEmitter } from 'node:events'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { onInterrupt } from '../../src/cli/interrupt.ts'
import { progress, progressText } from '../../src/cli/progress.ts'
import { ranked } from '../../src/cli/ranking.ts'
import { backgroundOf } from '../../src/cli/sources.ts'
import { confusionLines, drawPictures } from '../../src/cli/terminal.ts'

const picture = { values: [0, 1, 0, 0.5, 0, 1], shape: [3, 2], caption: 'one' }

describe('drawing', () => {
  test('two rows of pixels make a line; black stands below an odd last row', () => {
    expect(drawPictures([picture], { greys: false, columns: 80 })).toEqual([' #', ' +', 'one'])
  })

  test('with greys the upper half of a block and the ground behind it', () => {
    const [first] = drawPictures([picture], { greys: true, columns: 80 })
    expect(first).toBe('\x1b[38;5;232;48;5;232m▀\x1b[38;5;255;48;5;244m▀\x1b[0m')
  })

  test('as many side by side as fit', () => {
    const two = [picture, { ...picture, caption: 'two' }]
    expect(drawPictures(two, { greys: false, columns: 8 })).toEqual([' #    #', ' +    +', 'one  two'])
    expect(drawPictures(two, { greys: false, columns: 7 })).toEqual([' #', ' +', 'one', ' #', ' +', 'two'])
  })
})

describe('confusion', () => {
  test('a matrix under short names', () => {
    const lines = ['true   a   b  predicted', 'a    100   1', 'b      .   2']
    expect(
      confusionLines(
        [
          [100, 1],
          [0, 2],
        ],
        ['a', 'b'],
      ),
    ).toEqual(lines)
  })

  test('the most frequent mistakes of many classes', () => {
    const matrix = Array.from({ length: 30 }, (_, row) => Array.from({ length: 30 }, (_, k) => 99 * Number(row === k)))
    matrix[3]![4] = 2
    matrix[5]![6] = 7
    const names = matrix.map((_, i) => `class${i}`)
    const lines = ['     7  class5 taken for class6', '     2  class3 taken for class4']
    expect(confusionLines(matrix, names)).toEqual(['most frequent mistakes', ...lines])
  })
})

test('classes are ranked by probability', () => {
  const best = ranked([0, Math.log(3), 1000 - 1000])
  expect(best.map(({ index }) => index)).toEqual([1, 0, 2])
  expect(best[0]!.share).toBeCloseTo(0.6, 12)
  expect(ranked([1000, 0])[0]!.share).toBe(1)
})

test('the background is the brightness of the border', () => {
  expect(backgroundOf([0, 0, 0, 0, 1, 0, 0, 0, 0], [3, 3, 1])).toBe('dark')
  expect(backgroundOf([1, 1, 1, 1, 0, 1, 1, 1, 1], [3, 3, 1])).toBe('light')
})

describe('progress', () => {
  const at = { epoch: 1, epochs: 2, step: 3, stepsPerEpoch: 10, loss: 1, results: { loss: 0.5, accuracy: 0.75 } }
  const step = { ...at, learningRate: 1, imagesPerSecond: 10, secondsLeft: 3 }

  test('what stands beside the bar', () => {
    expect(progressText(step, 64, 6)).toBe('loss 0.5000  accuracy 0.7500  11 images/s  42 s left (all 1 min 42 s)')
    expect(progressText({ ...step, results: { loss: 2 } }, 64, undefined)).toBe('loss 2.0000')
  })

  test('without a terminal there is one line for each epoch and nothing else', async () => {
    const lines: string[] = []
    const print = (line = '') => {
      lines.push(line)
    }
    const watcher = progress({ print, note: print, interactive: false, greys: false, columns: 80 }, 8)
    await watcher.step?.(step)
    expect(lines).toEqual([])
    const plan = { epochs: 2, stepsPerEpoch: 4, batchSize: 8, samples: 32, doneSteps: 0 }
    await watcher.epoch?.({ epoch: 1, loss: 1, learningRate: 1, seconds: 2, imagesPerSecond: 16 }, plan)
    expect(lines).toEqual(['epoch 1/2  loss 1.0000  learningRate 1.0000  2.0 s, 16 images/s'])
  })
})

describe('interrupt', () => {
  afterEach(() => {
    vi.useRealTimers()
    vi.restoreAllMocks()
  })

  test('the first aborts, one right after it is the same, a later one ends the process', () => {
    vi.useFakeTimers({ toFake: ['performance'] })
    vi.setSystemTime(0)
    const exit = vi.spyOn(process, 'exit').mockImplementation((() => undefined) as never)
    const notes: string[] = []
    const before = process.listenerCount('SIGINT')
    const { signal, release } = onInterrupt((line) => notes.push(line))
    const press = () => EventEmitter.prototype.emit.call(process, 'SIGINT')
    expect(signal.aborted).toBe(false)
    press()
    expect(signal.aborted).toBe(true)
    expect(notes).toHaveLength(1)
    press()
    expect(exit).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1000)
    press()
    expect(exit).toHaveBeenCalledWith(130)
    release()
    expect(process.listenerCount('SIGINT')).toBe(before)
  })
})
