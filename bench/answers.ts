import { parseLayer } from '../src/conv/index.ts'
import type { Answers, Contender, Job, Names, Prepared, Request } from './contender.ts'
import { timeCalls } from './timing.ts'

/** How each contender is loaded, for some number of threads where that can't change later. */
export type Loaders = Partial<Record<Names, (threads: number) => Promise<Contender>>>

function prepare(job: Job, threads: number, { layer, network, training }: Contender) {
  if (job.kind === 'layer')
    return layer?.({ ...parseLayer(job.text), text: job.text, operation: job.operation }, threads)
  return job.kind === 'network' ? network?.(job.path, threads) : training?.(job.net, threads)
}

/** Answers requests to one contender, one after the other. */
export function answering(name: Names, loaders: Loaders) {
  let contender: Contender | undefined
  let prepared: Prepared | undefined
  return async (request: Request): Promise<Answers[keyof Answers]> => {
    contender ??= await loaders[name]!('threads' in request ? request.threads : 1)
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
}
