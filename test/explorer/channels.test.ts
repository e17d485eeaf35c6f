import { describe, expect, test } from 'vitest'
import { code } from '../../explorer/channels/code.ts'
import { measure } from '../../explorer/channels/measure.ts'
import { connections, designs, model, reach } from '../../explorer/channels/model.ts'
import { groupsOf, page, presets } from '../../explorer/channels/state.ts'
import { randomSource } from '../../src/base/random.ts'

describe('channels', () => {
  test('the default: 64 to 128, 3x3, 56x56', () => {
    const { standard, chosen } = designs(page.usual)
    expect([standard.parameters, chosen.parameters]).toEqual([73728, 8768])
    expect([standard.macs, chosen.macs]).toEqual([231211008, 27496448])
    expect(standard.macs / chosen.macs).toBeCloseTo(1 / (1 / 128 + 1 / 9), 9)
    expect(model(page.usual).facts.map(({ text }) => text)).toContain('multiply-adds: × 1/(1/128 + 1/3²) = 8.41')
  })

  test('weights drawn are counted one by one: an output reads the inputs of its group', () => {
    const random = randomSource(11)
    for (let i = 0; i < 60; i++) {
      const state = page.random(random)
      const { standard, chosen } = designs(state)
      for (const layer of [...standard.layers, ...chosen.layers]) {
        const { inChannels, outChannels, groups } = layer.spec
        const values = connections(layer)
        let weights = 0
        let wrong = 0
        for (let o = 0; o < outChannels; o++)
          for (let c = 0; c < inChannels; c++) {
            const together = Math.floor((o * groups) / outChannels) === Math.floor((c * groups) / inChannels)
            const value = values[o * inChannels + c]!
            if (Number.isNaN(value) === together) wrong++
            if (together) weights += value
          }
        expect(wrong).toBe(0)
        expect(layer.parameters).toBe(weights + (state.bias ? outChannels : 0))
        // same padding at stride 1: every weight is used once at each of the n*n positions
        expect(layer.macs).toBe(weights * state.n * state.n)
      }
    }
  })

  test('what an output depends on, by following the connections', () => {
    const random = randomSource(12)
    for (let i = 0; i < 30; i++) {
      const state = page.random(random)
      const { chosen } = designs(state)
      let seen = new Set([chosen.layers.at(-1)!.spec.outChannels - 1])
      for (const layer of [...chosen.layers].reverse()) {
        const { inChannels } = layer.spec
        const values = connections(layer)
        const below = new Set<number>()
        for (const o of seen)
          for (let c = 0; c < inChannels; c++) if (!Number.isNaN(values[o * inChannels + c])) below.add(c)
        seen = below
      }
      expect(reach(chosen)).toBe(seen.size)
    }
  })

  test('groups that do not divide become the next smaller that do, with the reason', () => {
    const { state, notes } = page.read('g=48')
    expect(state.g).toBe(32)
    expect(notes[0]).toBe('groups 48 → 32: it must divide the 64 channels in')
    expect(page.read('ci=6&co=4&g=3&pw=0').state.g).toBe(2)
    expect(groupsOf({ ci: 12, co: 8, pw: true })).toEqual([1, 2, 3, 4, 6, 12])
  })

  test('presets are canonical and hold without a note', () => {
    for (const { fragment } of presets) {
      const { state, notes } = page.read(fragment)
      expect(notes).toEqual([])
      expect(page.print(state)).toBe(fragment)
    }
  })

  test('layers are timed by running them', async () => {
    const { chosen } = designs({ ...page.usual, n: 8 })
    const { median, least, runs } = await measure(
      chosen.layers.map(({ spec }) => spec),
      () => true,
    )
    expect(runs).toBe(3)
    expect(least).toBeGreaterThan(0)
    expect(median).toBeGreaterThanOrEqual(least)
  })

  test('code names the numbers', () => {
    expect(code(page.usual).keras).toContain('DepthwiseConv2D(3')
    expect(code(page.read('g=8&pw=0').state).pytorch).toContain("nn.Conv2d(64, 128, 3, padding='same', groups=8")
  })
})
