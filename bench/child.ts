// A process of one contender: `node child.js NAME`. It answers one request after the other.
import type { Precision } from '../src/plan/types.ts'
import { answering, type Loaders } from './answers.ts'
import type { Names, Request } from './contender.ts'

const precision = (process.env.FOVEA_BENCH_PRECISION ?? 'fast') as Precision

const loaders: Loaders = {
  fovea: async () => (await import('./contenders/fovea.ts')).contender(precision),
  'onnxruntime-web': async () => (await import('./contenders/onnxruntime.ts')).contender('onnxruntime-web'),
  'onnxruntime-node': async () => (await import('./contenders/onnxruntime.ts')).contender('onnxruntime-node'),
  'tfjs-wasm': async (threads) => (await import('./contenders/tfjs.ts')).contender('wasm', threads),
  'tfjs-cpu': async (threads) => (await import('./contenders/tfjs.ts')).contender('cpu', threads),
  'jax-js': async () => (await import('./contenders/jax.ts')).contender(),
  pytorch: async () => (await import('./contenders/pytorch.ts')).contender(),
}

const answer = answering(process.argv[2] as Names, loaders)

process.on('message', async (request: Request) => {
  try {
    process.send!({ value: await answer(request) })
  } catch (error) {
    process.send!({ failed: error instanceof Error ? error.message : String(error) })
  }
})

// whoever asked is gone
process.on('disconnect', () => process.exit())
