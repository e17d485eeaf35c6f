import { expect, test } from 'vitest'
import { compile } from '../../src/compile.ts'
import { add, update, Variable } from '../../src/graph/index.ts'

test('a variable without first values is zeros, in a program and read', async () => {
  const used = new Variable(undefined, [2, 3])
  const step = compile((x) => [used.value, update(used, add(used.value, x))] as const, [[2, 3]])
  expect([...(await step([1, 2, 3, 4, 5, 6]))[0]]).toEqual([0, 0, 0, 0, 0, 0])
  expect([...used.read()]).toEqual([1, 2, 3, 4, 5, 6])
  expect([...new Variable(undefined, [2]).read()]).toEqual([0, 0])
})

test('also on the reference target, and after a write', async () => {
  const written = new Variable(undefined, [2])
  written.write([3, 4])
  const sum = compile((x) => add(x, add(written.value, new Variable(undefined, [2]).value)), [[2]], {
    target: 'reference',
  })
  expect([...(await sum([1, 1]))]).toEqual([4, 5])
})
