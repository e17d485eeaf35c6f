// What only a page has: its pictures, its network, its storage.
import { afterEach, describe, expect, test } from 'vitest'
import { download, forgetInBrowser, keepInBrowser, keptInBrowser, namesInBrowser } from '../../src/data/keep.ts'
import { load } from '../../src/data/load.ts'
import { fromPixels, toImageData } from '../../src/data/pixels.ts'
import { dense, loadModel, sequential } from '../../src/nn/index.ts'

/** 2 x 3 pixels, red growing to the right and green downwards. */
const picture = () => {
  const data = new Uint8ClampedArray(2 * 3 * 4)
  for (let y = 0; y < 2; y++) for (let x = 0; x < 3; x++) data.set([x * 100, y * 200, 50, 255], (y * 3 + x) * 4)
  return new ImageData(data, 3, 2)
}
const rgb = [0, 0, 50, 100, 0, 50, 200, 0, 50, 0, 200, 50, 100, 200, 50, 200, 200, 50].map((n) => Math.fround(n / 255))

function canvas(): HTMLCanvasElement {
  const made = document.createElement('canvas')
  made.width = 3
  made.height = 2
  made.getContext('2d')!.putImageData(picture(), 0, 0)
  return made
}

describe('pictures of a page', () => {
  test.each([
    ['ImageData', () => picture()],
    ['canvas', () => canvas()],
    ['ImageBitmap', () => createImageBitmap(picture())],
    [
      'OffscreenCanvas',
      () => {
        const made = new OffscreenCanvas(3, 2)
        made.getContext('2d')!.putImageData(picture(), 0, 0)
        return made
      },
    ],
    ['VideoFrame', () => new VideoFrame(canvas(), { timestamp: 0 })],
  ] as const)('%s to values', async (_, make) => {
    const source = await make()
    const { data, shape } = fromPixels(source)
    expect(shape).toEqual([2, 3, 3])
    expect([...data]).toEqual(rgb)
    if ('close' in source) source.close()
  })

  test('are brought to a shape', () => {
    const grey = fromPixels(canvas(), { shape: [4, 6, 1] })
    expect(grey.shape).toEqual([4, 6, 1])
    expect(grey.data).toHaveLength(24)
    // the same scaled from ImageData
    expect(fromPixels(picture(), { shape: [4, 6, 1] })).toEqual(grey)
    expect(fromPixels(picture(), { shape: [2, 3, 4] }).data[3]).toBe(1)
    expect(() => fromPixels(picture(), { shape: [4, 6] })).toThrow('fromPixels: shape [4, 6]')
    expect(() => fromPixels(document.createElement('video'))).toThrow(
      "fromPixels: the source is 0x0 pixels: it isn't loaded",
    )
  })

  test('and back', async () => {
    const { data, shape } = fromPixels(picture())
    const back = toImageData(data, shape)
    expect([...back.data]).toEqual([...picture().data])
    expect([...toImageData([-1, 0.5, 2], [1, 3, 1]).data]).toEqual([
      0, 0, 0, 255, 128, 128, 128, 255, 255, 255, 255, 255,
    ])
    expect([...fromPixels(await createImageBitmap(back)).data]).toEqual(rgb)
    expect(() => toImageData([1, 2], [1, 3, 1])).toThrow('toImageData: 2 values as [1, 3, 1]')
  })
})

describe('load', () => {
  const url = () => URL.createObjectURL(new Blob([new Uint8Array(300_000).fill(7)]))

  test('tells its progress', async () => {
    const told: number[] = []
    const bytes = await load(url(), { progress: ({ loaded }) => told.push(loaded) })
    expect(bytes).toEqual(new Uint8Array(300_000).fill(7))
    expect(told[0]).toBe(0)
    expect(told.at(-1)).toBe(300_000)
    expect([...told].sort((a, b) => a - b)).toEqual(told)
  })

  test('is aborted, refuses what is missing or too long', async () => {
    const abort = new AbortController()
    const loading = load(url(), { signal: abort.signal, progress: () => abort.abort() })
    await expect(loading).rejects.toThrow(/abort/i)
    await expect(load('/nothing/here.bin', { maxBytes: 10 })).rejects.toThrow(
      /^load: .*(answers 404|more than 10 bytes)/,
    )
    await expect(load(url(), { maxBytes: 1000 })).rejects.toThrow('has more than 1000 bytes')
  })
})

describe('files of the browser', () => {
  afterEach(() => forgetInBrowser('a model'))

  test('a model is kept, found again and forgotten', async () => {
    const model = sequential([3], [dense(2)])
    expect(await keptInBrowser('a model')).toBeUndefined()
    await keepInBrowser('a model', model.toBytes())
    expect(await namesInBrowser()).toContain('a model')
    const again = loadModel((await keptInBrowser('a model'))!)
    expect(await again.predict([1, 2, 3])).toEqual(await model.predict([1, 2, 3]))
    await forgetInBrowser('a model')
    expect(await namesInBrowser()).not.toContain('a model')
  })

  test('a download carries its name and bytes', async () => {
    let link: HTMLAnchorElement | undefined
    const hear = (event: MouseEvent) => {
      link = event.target as HTMLAnchorElement
      event.preventDefault()
    }
    HTMLAnchorElement.prototype.click = function () {
      this.addEventListener('click', hear)
      this.dispatchEvent(new MouseEvent('click', { cancelable: true }))
    }
    download('digits.safetensors', Uint8Array.of(1, 2, 3))
    expect(link!.download).toBe('digits.safetensors')
    expect([...new Uint8Array(await (await fetch(link!.href)).arrayBuffer())]).toEqual([1, 2, 3])
  })
})
