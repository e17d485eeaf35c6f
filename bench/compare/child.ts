// A process of one library: `node child.js NAME`. It answers one case after the other.
import type { Answer, Case } from './cases.ts'

const loaders: Readonly<Record<string, () => Promise<(item: Case) => Promise<Answer>>>> = {
  fovea: async () => (await import('./judge.ts')).foveaAnswer,
  'tfjs cpu': async () => (await import('./tfjs.ts')).tfjs('cpu'),
  'tfjs wasm': async () => (await import('./tfjs.ts')).tfjs('wasm'),
  'jax-js': async () => (await import('./jax.ts')).jax(),
  'onnxruntime-web': async () => (await import('./onnxruntime.ts')).onnxruntime(),
}

let run: ((item: Case) => Promise<Answer>) | undefined

process.on('message', async (item: Case) => {
  try {
    run ??= await loaders[process.argv[2]!]!()
    process.send!({ answer: await run(item) })
  } catch (error) {
    process.send!({ failed: error instanceof Error ? error.message : String(error) })
  }
})

// whoever asked is gone
process.on('disconnect', () => process.exit())
