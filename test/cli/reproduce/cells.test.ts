import { beforeAll, describe, expect, test } from 'vitest'
import { gratingTuning, lengthTuning, translation } from '../../../src/cli/reproduce/cells.ts'

describe('simple and complex cells', () => {
  let tuning: Awaited<ReturnType<typeof gratingTuning>>
  beforeAll(async () => {
    tuning = await gratingTuning()
  })

  test.each(['simple', 'energy', 'pooled'] as const)('%s cells prefer their own orientation', (kind) => {
    expect(tuning[kind].peakError).toBeLessThanOrEqual(5)
    expect(tuning[kind].halfWidth).toBeGreaterThan(15)
    expect(tuning[kind].halfWidth).toBeLessThan(35)
  })

  test('a drifting grating modulates simple cells and not complex ones', () => {
    expect(tuning.simple.leastModulation).toBeGreaterThan(1)
    expect(tuning.energy.modulation).toBeLessThan(0.5)
    expect(tuning.pooled.modulation).toBeLessThan(0.5)
  })

  test('a bar that moves half a wavelength leaves the field of a simple cell, not of a complex one', async () => {
    const { simple, energy, pooled } = await translation()
    expect(Math.min(...simple)).toBeLessThan(0.5)
    expect(Math.min(...energy)).toBeGreaterThan(0.8)
    expect(Math.min(...pooled)).toBeGreaterThan(0.8)
  })

  test('an end-stopped cell prefers a short bar, an energy cell does not', async () => {
    const { endStopped, energy } = await lengthTuning()
    expect(Math.max(...endStopped)).toBeGreaterThan(2 * endStopped.at(-1)!)
    expect(energy.at(-1)).toBeGreaterThan(0.8 * Math.max(...energy))
  })
})
