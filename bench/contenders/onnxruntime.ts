import { sizeOf } from '../../src/base/shape.ts'
import type { Contender, Prepared, Startup } from '../contender.ts'
import { channelsFirst, channelsLast, kernelFirst, operandsOf, shapesOf } from '../data.ts'
import type { Work } from '../lists.ts'
import { inputSizes, networkInput } from '../network-input.ts'
import { onnxModel, onnxRefusal } from '../onnx.ts'
import { loadPeer, readModel } from '../peers.ts'

interface OrtTensor {
  readonly data: Float32Array
  dispose(): void
}
interface Session {
  readonly inputNames: readonly string[]
  readonly outputNames: readonly string[]
  readonly inputMetadata: readonly { readonly shape?: readonly (number | string)[] }[]
  run(feeds: Record<string, OrtTensor>): Promise<Record<string, OrtTensor>>
  release(): Promise<void>
}
interface Ort {
  readonly InferenceSession: { create(model: Uint8Array, options: object): Promise<Session> }
  readonly Tensor: new (type: 'float32', data: Float32Array, shape: readonly number[]) => OrtTensor
  readonly env: { readonly wasm: { numThreads: number } }
}

/** Both runtimes have one interface. The web's number of threads is that of its process. */
export async function contender(name: string): Promise<Contender> {
  const ort = (await loadPeer(name)) as Ort
  const web = name === 'onnxruntime-web'

  async function open(model: Uint8Array, threads: number): Promise<Session> {
    if (web) ort.env.wasm.numThreads = threads
    const options = { graphOptimizationLevel: 'all', intraOpNumThreads: threads, interOpNumThreads: 1 }
    return ort.InferenceSession.create(model, web ? {} : options)
  }

  function prepared(session: Session, values: Float32Array, shape: readonly number[]) {
    const x = new ort.Tensor('float32', values, shape)
    const run = async () => (await session.run({ [session.inputNames[0]!]: x }))[session.outputNames[0]!]!
    return { run, call: async () => (await run()).dispose(), dispose: () => void session.release() }
  }

  async function layer(work: Work, threads: number): Promise<Prepared> {
    const refusal = onnxRefusal(work)
    if (refusal) throw new Error(refusal)
    const { a, b } = operandsOf(work)
    const shapes = shapesOf(work)
    const xShape = [shapes.a[0]!, shapes.a.at(-1)!, ...shapes.a.slice(1, -1)]
    const session = await open(onnxModel(work, kernelFirst(b, shapes.b)), threads)
    const { run, call, dispose } = prepared(session, channelsFirst(a, shapes.a), xShape)
    return { output: async () => channelsLast((await run()).data, shapes.result), call, dispose }
  }

  async function opened(path: string, threads: number) {
    const session = await open(await readModel(path), threads)
    const shape = inputSizes(session.inputMetadata[0]?.shape ?? [])
    return prepared(session, networkInput(sizeOf(shape)), shape)
  }

  async function network(path: string, threads: number): Promise<Prepared> {
    const { run, call, dispose } = await opened(path, threads)
    return { output: async () => Float32Array.from((await run()).data, Number), call, dispose }
  }

  /** From the file's bytes to the first result. */
  async function startup(path: string, threads: number): Promise<Startup> {
    const start = performance.now()
    await (await opened(path, threads)).call()
    return { ms: performance.now() - start }
  }

  return { layer, network, startup }
}
