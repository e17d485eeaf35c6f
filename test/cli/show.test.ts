import { describe, expect, test } from 'vitest'
import { drawRows } from '../../src/cli/show.ts'

const panel = (height: number, width: number, values: number[]) => ({
  height,
  width,
  values: Float32Array.from(values),
})

describe('drawRows', () => {
  test('each value is a square: white at 0, orange above, blue below, on one scale for the row', () => {
    const picture = drawRows([{ panels: [panel(1, 2, [0, 4]), panel(1, 2, [-4, 2])], pixel: 3 }])
    expect([picture.width, picture.height]).toEqual([12 + 6 + 4 + 6 + 12, 12 + 3 + 12])
    const at = (x: number, y: number) => [...picture.data.subarray((y * picture.width + x) * 3).subarray(0, 3)]
    expect(at(12, 12)).toEqual([255, 255, 255])
    expect(at(15, 14)).toEqual([214, 96, 20])
    expect(at(22, 12)).toEqual([20, 98, 180])
    expect(at(27, 14)).toEqual([235, 176, 138])
    expect(at(19, 12)).toEqual([255, 255, 255])
  })

  test('more than 16 panels go on in the next line', () => {
    const panels = Array.from({ length: 18 }, () => panel(2, 2, [1, 1, 1, 1]))
    const picture = drawRows([{ panels, pixel: 1 }])
    expect(picture.height).toBe(12 + 2 + 4 + 2 + 12)
  })
})
