// Trains the two example models on the digits of /train/ and writes them: digits.safetensors, a chain of layers, and
// branches.onnx, whose graph branches; and samples.bin, two of each held-out digit. With Node 26, after `npm run build`:
// `node explorer/inspect/models.node.ts`
import { readFileSync, writeFileSync } from 'node:fs'
import { saveOnnx } from 'fovea/formats'
import { add, concatenate, conv2d, dense, functional, globalAveragePool, input, maxPool2d } from 'fovea/nn'
import { digits } from '../train/pictures.ts'
import { Session } from '../train/session.ts'

const bytes = readFileSync(new URL('../train/digits.bin', import.meta.url))
const data = await digits(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer)
const write = (name: string, content: Uint8Array) => writeFileSync(new URL(name, import.meta.url), content)

const settings = { data: 'digits', network: 'small', optimizer: 'adam', batchSize: 32, seed: 1, stopAt: 1 } as const
const session = new Session({ ...settings, learningRate: 0.003 }, data)
await session.begin()
await session.advance(1200)
console.log(await session.frame({ heldOut: 0 }, 0).then(({ accuracies }) => accuracies.at(-1)))
write('digits.safetensors', session.save())

const relu = { padding: 'same', activation: 'relu' } as const
const picture = input([28, 28, 1])
const stem = maxPool2d(2)(conv2d(8, 3, relu)(picture))
const branches = [
  conv2d(4, 1, relu)(stem),
  conv2d(6, 3, relu)(conv2d(4, 1, relu)(stem)),
  conv2d(4, 5, relu)(conv2d(3, 1, relu)(stem)),
  conv2d(4, 1, relu)(maxPool2d(3, { stride: 1, padding: 'same' })(stem)),
]
const joined = maxPool2d(2)(concatenate()(...branches))
const around = add()(joined, conv2d(18, 3, relu)(joined))
const top = conv2d(24, 3, { activation: 'relu' })(around)
const model = functional(picture, dense(10)(globalAveragePool()(top)), { seed: 1, name: 'branches' })
await model.fit(data.train, {
  epochs: 12,
  batchSize: 32,
  optimizer: { name: 'adam', learningRate: 0.004 },
  schedule: 'cosineDecay',
})
console.log(await model.evaluate(data.heldOut), model.countParameters())
write('branches.onnx', saveOnnx(model))

/** Labels, a byte each, then pictures. */
const { x, y } = data.heldOut
const chosen = Array.from({ length: 10 }, (_, digit) => [...y.keys()].filter((i) => y[i] === digit).slice(0, 2)).flat()
const pixels = chosen.flatMap((i) => [...x.subarray(i * 784, (i + 1) * 784)].map((v) => Math.round(255 * v)))
write('samples.bin', Uint8Array.from([...chosen.map((i) => y[i]!), ...pixels]))
