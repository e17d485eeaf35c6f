// `npm run fuzz -- --seconds 600 --seed 1`: random convolutions on every target against the reference loops, for as
// long as wanted; `--spec 'n1 8x8 c3 -> 4 k3'` checks one.
import { parseArgs } from 'node:util'
import { createVitest } from 'vitest/node'

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '60' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
    spec: { type: 'string' },
  },
})
const vitest = await createVitest('test', { watch: false })
vitest.provide('fuzz', { seconds: Number(values.seconds), seed: Number(values.seed), spec: values.spec })
await vitest.start(['test/compile/random.test.ts'])
await vitest.close()
