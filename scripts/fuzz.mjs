// `npm run fuzz -- --seconds 600 --seed 1`: random convolutions on every target against the reference loops, for as
// long as wanted; `--spec 'n1 8x8 c3 -> 4 k3'` checks one. `--readers` changes model files by chance instead
// (ONNX, tfjs, Keras, safetensors, IDX, PNG, JPEG), each kind for as long, and says how much memory it took;
// `--only PNG` takes one kind.
import { parseArgs } from 'node:util'
import { createVitest } from 'vitest/node'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    spec: { type: 'string' },
    readers: { type: 'boolean', default: false },
    only: { type: 'string' },
  },
})
const vitest = await createVitest('test', { watch: false, testNamePattern: values.only })
const [seconds, seed] = [Number(values.seconds), Number(values.seed)]
vitest.provide('fuzz', { seconds, seed, spec: values.spec })
vitest.provide('readers', { seconds, seed })
const readers = ['test/formats/readers-fuzz.node.test.ts', 'test/data/readers-fuzz.node.test.ts']
await vitest.start(values.readers ? readers : ['test/compile/random.test.ts'])
await vitest.close()
