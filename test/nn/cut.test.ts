import { expect, test } from 'vitest'
import '../../src/compile.ts'
import { compile } from '../../src/compile.ts'
import { add, conv2d, cut, dense, flatten, functional, input, maxPool2d, relu, sequential } from '../../src/nn/index.ts'
import { normals } from './layer-check.ts'

const values = (count: number) => Float32Array.from(normals(4, count))

test('a model that is cut gives the result of a layer', async () => {
  const model = sequential([8, 8, 2], [conv2d(3, 3), relu(), conv2d(4, 3), maxPool2d(2), flatten(), dense(5)])
  for (const parameter of model.parameters) parameter.write(values(parameter.read().length))
  const part = cut(model, 'conv2d_2')
  expect(part.outputShape).toEqual([4, 4, 4])
  const x = values(2 * 128)
  const whole = compile((t) => model.trace(t, model.context(false)), [[2, 8, 8, 2]])
  expect(await part.predict(x)).toEqual((await whole(x))[3])
  // copies: what is trained here stays there
  part.parameters[0]!.write(new Float32Array(54))
  expect(model.parameters[0]!.read().some((v) => v !== 0)).toBe(true)
})

test('branches and inputs that the layer does not need are left out, a layer that comes twice stays one', async () => {
  const [a, b] = [input([6]), input([3])]
  const twice = dense(6)
  const left = twice(twice(a))
  const right = dense(6)(b)
  const model = functional([a, b], dense(2)(add()(left, right)))
  for (const parameter of model.parameters) parameter.write(values(parameter.read().length))
  const part = cut(model, 'dense_1')
  expect(part.inputShapes).toEqual([[6]])
  expect(part.countParameters()).toBe(42)
  const x = values(6)
  const whole = compile(
    (t, u) => model.trace([t, u], model.context(false)),
    [
      [1, 6],
      [1, 3],
    ],
  )
  const all = await whole(x, values(3))
  expect(await part.predict(x)).toEqual(all[2 + model.steps.findLastIndex(({ name }) => name === 'dense_1')])
})

test('another name is an error that lists those there are', () => {
  const model = sequential([4, 4, 1], [conv2d(2, 3), flatten()])
  expect(() => cut(model, 'dense_1')).toThrow("cut: there is no layer 'dense_1'. Use one of conv2d_1, flatten_1.")
})
