import { describe, expect, test } from 'vitest'
import { pathCounts } from '../../explorer/field/cone.ts'
import { effectiveField, kernelShapes, picturesFor } from '../../explorer/field/effective.ts'
import { extent, type Layer, outputsOf, planOf, printLayer, readLayer, side } from '../../explorer/field/layers.ts'
import { frameOf, reachOf, theoryOf, unitNear } from '../../explorer/field/model.ts'
import { page, presets, unitOf } from '../../explorer/field/state.ts'
import { randomSource } from '../../src/base/random.ts'

const layersOf = (text: string): Layer[] => text.split(',').map((part) => readLayer(part).value)

/** Ways from a pixel to a unit, counted one by one: tap by tap, layer by layer. */
function waysByHand(layers: readonly Layer[], pixel: number): Map<number, number> {
  let size = side
  let ways = new Map([[pixel, 1]])
  const through = (layer: Layer, from: Map<number, number>, out: number, low: number) => {
    const to = new Map<number, number>()
    for (const [at, count] of from)
      for (let p = 0; p < out; p++)
        for (let k = 0; k < layer.kernel; k++)
          if (p * layer.stride + k * layer.dilation - low === at) to.set(p, (to.get(p) ?? 0) + count)
    return to
  }
  for (const layer of layers) {
    const out = Math.ceil(size / layer.stride)
    const low = Math.floor(Math.max((out - 1) * layer.stride + layer.dilation * (layer.kernel - 1) + 1 - size, 0) / 2)
    let next = through(layer, ways, out, low)
    if (layer.kind === 'residual') {
      next = through(layer, next, out, low)
      for (const [at, count] of ways) next.set(at, (next.get(at) ?? 0) + count)
    }
    ways = next
    size = out
  }
  return ways
}

const cases = ['c3,c3,c3', 'c3,c3d2,c3d4', 'c5,a2s2,c5,a2s2,c5', 'c4,m3s2,c2d3', 'r3,m2s2,r3d2', 'c7s4,c3']

describe('field', () => {
  test('the theory of the design: 7, 15, 13, and LeNet and AlexNet of the literature', () => {
    const sizes = (text: string) => planOf(layersOf(text)).map(({ field }) => field.size)
    expect(sizes('c3,c3,c3')).toEqual([3, 5, 7])
    expect(sizes('c3,c3d2,c3d4')).toEqual([3, 7, 15])
    expect(sizes('c3d2,c3d2,c3d2')).toEqual([5, 9, 13])
    expect(sizes('c5,a2s2,c5,a2s2,c5')).toEqual([5, 6, 14, 16, 32])
  })

  test('ways to a unit are those counted tap by tap, and none comes from outside its field', () => {
    for (const text of cases) {
      const layers = layersOf(text)
      const plan = planOf(layers)
      const unit = Math.floor(outputsOf(plan) / 2) - 1
      const input = pathCounts(plan, unit).at(-1)!
      const { first, size } = extent(plan.at(-1)!.field, unit)
      let [least, most] = [side, -1]
      for (let pixel = 0; pixel < side; pixel++) {
        const count = waysByHand(layers, pixel).get(unit) ?? 0
        expect(input[pixel]).toBe(count)
        if (count > 0) [least, most] = [Math.min(least, pixel), Math.max(most, pixel)]
      }
      expect([text, least, most]).toEqual([text, first, first + size - 1])
    }
  })

  test('the gradient with ones is the number of ways, in two dimensions', async () => {
    for (const text of ['c3,c3d2', 'c4,m3s2,c2d3', 'c5,a2s2,c3']) {
      const network = { l: layersOf(text), w: 'ones' as const }
      const plan = planOf(network.l)
      const unit = [Math.floor(outputsOf(plan) / 2), 5] as const
      const [rows, columns] = unit.map((at) => pathCounts(plan, at).at(-1)!)
      const dx = await effectiveField(network, new Float32Array(side * side), unit)
      let wrong = 0
      for (let i = 0; i < dx.length; i++) if (dx[i] !== rows![Math.floor(i / side)]! * columns![i % side]!) wrong++
      expect(wrong).toBe(0)
    }
  })

  test('random weights: the gradient is 0 outside the field, and depends on the picture where ReLU is', async () => {
    const network = { l: layersOf('c3,r3,m2s2,c3d2'), w: 'relu' as const }
    const plan = planOf(network.l)
    const unit = [20, 22] as const
    const random = randomSource(3)
    const pictures = Float32Array.from({ length: 2 * side * side }, () => random.integer(1000) / 1000)
    const dx = await effectiveField(network, pictures, unit)
    const reach = reachOf(dx, plan, unit)
    expect(reach.side).toBeLessThanOrEqual(plan.at(-1)!.field.size)
    const [row, column] = unit.map((at) => extent(plan.at(-1)!.field, at)) as [
      ReturnType<typeof extent>,
      ReturnType<typeof extent>,
    ]
    let outside = 0
    dx.forEach((value, i) => {
      const [y, x] = [Math.floor(i / side) - row.first, (i % side) - column.first]
      if ((y < 0 || y >= row.size || x < 0 || x >= column.size) && value !== 0) outside++
    })
    expect(outside).toBe(0)
    expect(Math.max(...dx)).toBeGreaterThan(0)
    // without ReLU or pooling by maximum the picture doesn't matter, with them it does
    const linear = { l: layersOf('c3,a2s2,c3'), w: 'linear' as const }
    const one = await effectiveField(linear, pictures, unit)
    expect(
      await effectiveField(
        linear,
        pictures.map((v) => 1 - v),
        unit,
      ),
    ).toEqual(one)
    expect(
      await effectiveField(
        network,
        pictures.map((v) => 1 - v),
        unit,
      ),
    ).not.toEqual(dx)
  })

  test('every address gives layers that are there; what was changed is said', () => {
    expect(readLayer('c3s2d2')).toEqual({ value: { kind: 'conv', kernel: 3, stride: 2, dilation: 2 } })
    expect(readLayer('m200')).toMatchObject({ value: { kernel: 9 }, note: 'm200 → m9' })
    expect(readLayer('x').note).toContain("isn't a layer")
    expect(page.read('l=c3,c3&at=99,1')).toMatchObject({ state: { at: [95, 1] } })
    const random = randomSource(4)
    for (let i = 0; i < 200; i++) {
      const state = page.random(random)
      expect(page.read(page.print(state))).toEqual({ state, notes: [] })
      for (const layer of state.l) expect(readLayer(printLayer(layer)).value).toEqual(layer)
    }
    for (const { fragment } of presets) expect(page.print(page.read(fragment).state)).toBe(fragment)
  })

  test('a unit is found again under the middle of its field', () => {
    for (const text of cases) {
      const plan = planOf(layersOf(text))
      const { field } = plan.at(-1)!
      for (let at = 0; at < outputsOf(plan); at++) expect(unitNear(plan, field.start + at * field.jump)).toBe(at)
    }
  })

  test('the frame says what the numbers are', async () => {
    const dx = await effectiveField({ l: page.usual.l, w: 'ones' }, new Float32Array(side * side), unitOf(page.usual))
    const frame = frameOf(theoryOf({ ...page.usual, w: 'ones' }, new Float32Array(side * side)), dx)
    expect(frame.views.map(({ name }) => name)).toEqual(['picture', 'effective', 'cone'])
    expect(frame.views[0]!.boxes!.at(-1)).toEqual({ row: 45, column: 45, rows: 7, columns: 7, kind: 'pin' })
    // 1 3 6 7 6 3 1: the third power of 1 + x + x^2
    expect(frame.views[2]!.texts!.slice(-7)).toEqual(['1', '3', '6', '7', '6', '3', '1'])
    expect(frame.facts[1]).toEqual({ name: '1. conv 3×3', text: 'field 3 = 1 + 1·(3−1)·1 px' })
    expect(frameOf(theoryOf({ ...page.usual, l: [] }, new Float32Array(side * side))).problem).toContain('no layer')
  })

  test('dear networks are averaged over fewer pictures', () => {
    expect(picturesFor(page.usual)).toBe(32)
    expect(picturesFor({ l: layersOf('c9,c9,c9,c9,c9,c9,c9,c9,c9,c9'), w: 'relu' })).toBe(4)
    expect(kernelShapes({ l: layersOf('c3,m2s2,r3'), w: 'relu' })).toEqual([
      [3, 3, 1, 8],
      [3, 3, 8, 8],
      [3, 3, 8, 8],
    ])
  })
})
