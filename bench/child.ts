// A process of one contender: `node child.js NAME`. It answers one request after the other.
import { parseLayer } from '../src/conv/index.ts'
import type { Answers, Contender, Job, Names, Prepared, Request } from './contender.ts'
import { timeCalls } from './timing.ts'

const loaders: Partial<Record<Names, () => Promise<Contender>>> = {
  fovea: async () => (await import('./contenders/fovea.ts')).contender,
  'onnxruntime-web': async () => (await import('./contenders/onnxruntime.ts')).contender('onnxruntime-web'),
  'onnxruntime-node': async () => (await import('./contenders/onnxruntime.ts')).contender('onnxruntime-node'),
  'tfjs-wasm': async () => (await import('./contenders/tfjs.ts')).contender('wasm'),
  'tfjs-cpu': async () => (await import('./contenders/tfjs.ts')).contender('cpu'),
  'jax-js': async () => (await import('./contenders/jax.ts')).contender(),
  pytorch: async () => (await import('./contenders/pytorch.ts')).contender(),
}

const name = process.argv[2] as Names
let contender: Contender | undefined
let prepared: Prepared | undefined

function prepare(job: Job, threads: number, { layer, network, training }: Contender) {
  if (job.kind === 'layer')
    return layer?.({ ...parseLayer(job.text), text: job.text, operation: job.operation }, threads)
  return job.kind === 'network' ? network?.(job.path, threads) : training?.(job.net, threads)
}

async function answer(request: Request): Promise<Answers[keyof Answers]> {
  contender ??= await loaders[name]!()
  if (request.kind === 'peak') return contender.peak!()
  if (request.kind === 'drop') {
    prepared?.dispose?.()
    prepared = undefined
    return undefined
  }
  if (request.kind === 'startup') {
    if (!contender.startup) throw new Error('not measured')
    return contender.startup(request.what, request.threads)
  }
  if (request.kind === 'prepare') {
    prepared = await prepare(request.job, request.threads, contender)
    if (!prepared) throw new Error(`no ${request.job.kind}`)
    return { output: await prepared.output(), how: prepared.how }
  }
  const { call, time, roundTrip } = prepared!
  return {
    call: time ? time(request.effort) : await timeCalls(call!, request.effort),
    roundTrip: roundTrip && (await timeCalls(roundTrip, request.effort)),
  }
}

process.on('message', async (request: Request) => {
  try {
    process.send!({ value: await answer(request) })
  } catch (error) {
    process.send!({ failed: error instanceof Error ? error.message : String(error) })
  }
})

// whoever asked is gone
process.on('disconnect', () => process.exit())
