import { describe, expect, test } from 'vitest'
import { bordersSchema } from '../../explorer/borders/state.ts'
import { shapeSchema } from '../../explorer/shape/state.ts'
import type { Schema } from '../../explorer/shared/schema.ts'
import { slideSchema } from '../../explorer/slide/state.ts'
import { randomSource } from '../../src/base/random.ts'
import { hostile } from './contract.ts'

const schemas: [string, Schema<object>][] = [
  ['shape', shapeSchema as unknown as Schema<object>],
  ['slide', slideSchema as unknown as Schema<object>],
  ['borders', bordersSchema as unknown as Schema<object>],
]

describe.each(schemas)('the address of /%s/', (_, schema) => {
  test('the bare address is the usual state', () => {
    expect(schema.read('')).toEqual({ state: schema.usual, notes: [] })
    expect(schema.print(schema.usual)).toBe('')
  })

  test('any state comes back from its address, without a note, in at most 2000 characters', () => {
    const random = randomSource(1)
    for (let i = 0; i < 500; i++) {
      const state = schema.random(random)
      const fragment = schema.print(state)
      expect(fragment.length).toBeLessThanOrEqual(2000)
      expect(schema.read(fragment), fragment).toEqual({ state, notes: [] })
      expect(schema.print(schema.read(fragment).state)).toBe(fragment)
    }
  })

  test.each(hostile.map((text) => [text.slice(0, 40), text]))('%s gives a valid state and a note', (_, text) => {
    const { state, notes } = schema.read(text)
    expect(notes.length).toBeGreaterThan(0)
    expect(schema.read(schema.print(state))).toEqual({ state, notes: [] })
  })

  test('garbage by chance gives a valid state', () => {
    const random = randomSource(2)
    const pieces = [
      ...Object.keys(schema.fields),
      '=',
      '&',
      ',',
      ';',
      'x',
      '-',
      '.',
      '9',
      '0',
      '%',
      'same',
      '\u0000',
      '1e9',
    ]
    for (let i = 0; i < 500; i++) {
      const text = Array.from({ length: random.integer(30) }, () => pieces[random.integer(pieces.length)]).join('')
      const { state } = schema.read(text)
      expect(schema.read(schema.print(state)), text).toEqual({ state, notes: [] })
    }
  })
})
