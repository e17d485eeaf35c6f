import { spawnSync } from 'node:child_process'
import { timingOf } from '../../src/program/measure.ts'
import type { Contender, Prepared } from '../contender.ts'
import { batchOf, type NetName, netParameters, trainingOptions } from '../nets.ts'
import type { Effort } from '../timing.ts'

const script = new URL('../../../torch_steps.py', import.meta.url).pathname

/** The first Python here that has PyTorch (Debian's package is seen by the system's own only). */
const python = ['python3', '/usr/bin/python3'].find((path) => spawnSync(path, ['-c', 'import torch']).status === 0)

const encoded = (values: Float32Array, shape: readonly number[]) => ({
  shape,
  base64: Buffer.from(values.buffer, values.byteOffset, values.byteLength).toString('base64'),
})

/** A process of Python for each run: it takes the job, and times itself. */
function run(net: NetName, threads: number, effort: Effort): { losses: number[]; times: number[] } {
  const { samples, inputShape, x, labels } = batchOf(net)
  const job = {
    ...{ net, threads, ...trainingOptions, ...effort },
    x: encoded(x, [samples, ...inputShape]),
    labels: [...labels],
    parameters: netParameters(net).map(({ values, shape }) => encoded(values, shape)),
  }
  const done = spawnSync(python!, [script], { input: JSON.stringify(job), encoding: 'utf8', maxBuffer: 2 ** 28 })
  if (done.status !== 0) throw new Error(`python: ${done.stderr.trim().split('\n').at(-1)}`)
  return JSON.parse(done.stdout) as { losses: number[]; times: number[] }
}

const once: Effort = { warmUpCalls: 0, warmUp: 0, samples: 0, budget: 0, slowSamples: 0 }

export async function contender(): Promise<Contender> {
  if (!python) throw new Error('no python3 with torch here')
  return {
    training: async (net, threads): Promise<Prepared> => ({
      output: async () => Float32Array.from(run(net, threads, once).losses),
      time: (effort) => timingOf(run(net, threads, effort).times),
    }),
  }
}
