// What a page of the benchmark runs: one contender, `?name=NAME&precision=fast`. Its requests come through
// `globalThis.fovea.ask`; arrays of numbers go back as base64, which is what the way to the browser's driver carries fast.
import type { Precision } from '../src/plan/types.ts'
import { answering, type Loaders } from './answers.ts'
import type { Names, Request } from './contender.ts'

const given = new URLSearchParams(location.search)

const loaders: Loaders = {
  fovea: async () => (await import('./contenders/fovea.ts')).contender(given.get('precision') as Precision),
  'onnxruntime-web': async () => (await import('./contenders/onnxruntime.ts')).contender('onnxruntime-web'),
  'tfjs-wasm': async (threads) => (await import('./contenders/tfjs.ts')).contender('wasm', threads),
  'tfjs-cpu': async (threads) => (await import('./contenders/tfjs.ts')).contender('cpu', threads),
  'jax-js': async () => (await import('./contenders/jax.ts')).contender(),
}

const answer = answering(given.get('name') as Names, loaders)

const base64 = (values: Float32Array) =>
  new Promise<string>((resolve, reject) => {
    const reader = new FileReader()
    reader.onload = () => resolve((reader.result as string).replace(/^[^,]*,/, ''))
    reader.onerror = () => reject(reader.error)
    reader.readAsDataURL(new Blob([new Float32Array(values)]))
  })

async function ask(request: Request): Promise<unknown> {
  const value = await answer(request)
  return value && typeof value === 'object' && 'output' in value
    ? { ...value, output: await base64(value.output) }
    : value
}

Object.assign(globalThis, { fovea: { peers: new URL('.', location.href).href, ask } })
