import { checkCount, fail } from '../base/errors.ts'
import { type Shape, showShape } from '../base/shape.ts'

/** A finite number in a range, or an error naming the option. */
export function checkRange(operation: string, name: string, value: number, low = -Infinity, high = Infinity): number {
  if (!Number.isFinite(value) || value < low || value > high)
    fail(
      operation,
      `${name} is ${value}`,
      `Give a finite number${low > -Infinity ? ` >= ${low}` : ''}${high < Infinity ? ` and <= ${high}` : ''}`,
    )
  return value
}

/** An option that is one number or one per spatial axis, as a list. */
export function perAxis(operation: string, name: string, value: number | readonly number[], rank: number): number[] {
  const list = typeof value === 'number' ? new Array<number>(rank).fill(value) : [...value]
  if (list.length !== rank)
    fail(operation, `${name} has ${list.length} entries for ${rank} spatial axes`, `Give one number or ${rank} of them`)
  for (const n of list) checkCount(operation, name, n, 1)
  return list
}

const axisNames = ['[length, channels]', '[height, width, channels]', '[depth, height, width, channels]']

/** That one sample has `rank` spatial axes and channels. */
export function checkRank(operation: string, shape: Shape, rank: number): void {
  if (shape.length !== rank + 1)
    fail(operation, `input of shape ${showShape(shape)} without N`, `Give ${axisNames[rank - 1]}, or use another rank`)
}

/** That options have no misspelt name. */
export function checkNames(operation: string, options: object, names: readonly string[]): void {
  for (const name of Object.keys(options))
    if (!names.includes(name)) fail(operation, `option '${name}' is unknown`, `Options are ${names.join(', ')}`)
}
