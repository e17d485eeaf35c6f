import { add, compile, gradient, type Program, softmax, type Tensor, tensor, update, type Variable } from 'fovea'
import { accuracy, adam, type Model, type Optimizer, sgd, softmaxCrossEntropy, summaryRows } from 'fovea/nn'
import { shuffled } from './chance.ts'
import { networkOf } from './networks.ts'
import type { Pictures, Split } from './pictures.ts'
import {
  type Chosen,
  type Facts,
  mostSteps,
  type Numbers,
  type Settings,
  type State,
  type TrainFrame,
} from './protocol.ts'

const optimizers: Record<Settings['optimizer'], (learningRate: number) => Optimizer> = {
  adam: (learningRate) => adam({ learningRate }),
  momentum: (learningRate) => sgd({ learningRate, momentum: 0.9 }),
  sgd: (learningRate) => sgd({ learningRate }),
}

/** Whether a step is kept, to be gone back to: eight for each doubling. */
export const isKept = (step: number): boolean => step % 2 ** Math.max(0, Math.floor(Math.log2(step || 1)) - 3) === 0

/** From so many steps on, kept steps are measured on the held-out pictures. */
const firstMeasured = 16
const isMeasured = (step: number) => step === 0 || (step >= firstMeasured && isKept(step))

/** Held-out pictures that are measured at once. */
const group = 100

type Shape = readonly number[]
type StepProgram = Program<readonly [Shape, Shape], { loss: Tensor; slope: Tensor }>

interface Programs {
  readonly step: StepProgram
  readonly hits: Program<readonly [Shape, Shape], Tensor>
  readonly look: Program<readonly [Shape], { values: Tensor[]; shares: Tensor }>
}

/** Everything a training does, each as one program. */
function programsOf(
  model: Model,
  optimizer: ReturnType<Optimizer['create']>,
  batchSize: number,
  first: Variable,
): Programs {
  const sample = model.inputShape
  const parameters = model.parameters.map(({ value }) => value)
  const step = compile(
    (x, y) => {
      const context = model.context(true)
      const loss = softmaxCrossEntropy(model.apply(x, context), y)
      const slopes = gradient(loss, parameters)
      const chance = update(model.rng, add(model.rng.value, tensor([0, 1])))
      const slope = slopes[model.parameters.indexOf(first)]!
      return { loss, slope, updates: [optimizer.update(slopes), context.updates, chance] }
    },
    [[batchSize, ...sample], [batchSize]] as readonly [Shape, Shape],
  ) as unknown as StepProgram
  const hits = compile((x, y) => accuracy().sums(model.apply(x, model.context(false)), y), [
    [group, ...sample],
    [group],
  ] as readonly [Shape, Shape])
  const look = compile(
    (x) => {
      const values = model.trace(x, model.context(false))
      return { values, shares: softmax(values.at(-1)!) }
    },
    [[1, ...sample]] as readonly [Shape],
  )
  return { step, hits, look }
}

/** The first layer's kernels as pictures: [k, k, 1, O]; of a layer that sees every pixel, as large as the picture. */
function kernelShape(model: Model, first: Variable): Shape {
  const [size] = model.inputShape
  return first.shape.length === 4 ? first.shape : [size!, size!, 1, first.shape.at(-1)!]
}

/** A training that can be paused, stepped and taken back. It runs in a worker, and in Node for tests. */
export class Session {
  readonly facts: Facts
  readonly #settings: Settings
  readonly #data: Split
  readonly #model: Model
  readonly #variables: readonly Variable[]
  readonly #first: Variable
  readonly #kernelShape: Shape
  readonly #programs: Programs
  readonly #losses = new Float32Array(mostSteps)
  readonly #accuracies = new Map<number, number>()
  readonly #snapshots = new Map<number, readonly Float32Array[]>()
  #slope: Float32Array
  #order: { epoch: number; indices: Uint32Array } | undefined
  #step = 0
  #state: State = 'idle'
  /** Held-out pictures that were measured so far at this step. */
  #measuring = { at: 0, right: 0 }
  #ignoresStop = false
  #seconds = 0
  #stepTime = 0

  constructor(settings: Settings, data: Split) {
    const { classes, size } = data.train
    const { model, code } = networkOf(settings.network, size, classes.length, settings.seed)
    const optimizer = optimizers[settings.optimizer](settings.learningRate).create(model.parameters)
    this.#settings = settings
    this.#data = data
    this.#model = model
    this.#variables = [...model.parameters, ...model.state, model.rng, ...optimizer.variables]
    this.#first = model.parameters[0]!
    this.#kernelShape = kernelShape(model, this.#first)
    this.#programs = programsOf(model, optimizer, settings.batchSize, this.#first)
    this.#slope = new Float32Array(this.#first.read().length)
    const rows = summaryRows(model)
    this.facts = {
      classes,
      size,
      trained: data.train.y.length,
      heldOut: data.heldOut.y.length,
      parameters: model.countParameters(),
      macs: rows.reduce((sum, { macs }) => sum + macs, 0),
      layers: rows.map(({ name, shape }) => ({ name, shape })),
      firstLayer: model.steps.find(({ built }) => built.parameters.length > 0)!.name,
      labels: [...data.heldOut.y],
      isolated: globalThis.crossOriginIsolated === true,
      code,
    }
  }

  get step(): number {
    return this.#step
  }

  get state(): State {
    return this.#state
  }

  /** Measures and keeps step 0, so that it can be shown and gone back to. */
  async begin(): Promise<void> {
    this.#keep()
    while (!this.#isMeasured()) await this.#measureSome()
  }

  /** Once it has reached what it shall, it can go on nevertheless. */
  run(): void {
    this.#ignoresStop ||= this.#state === 'done'
    if (this.#step < mostSteps) this.#state = 'running'
  }

  pause(): void {
    if (this.#state === 'running') this.#state = 'idle'
  }

  /** Trains for about so many milliseconds, or until it is done. */
  async slice(milliseconds: number): Promise<void> {
    const began = performance.now()
    while (this.#state === 'running' && performance.now() < began + milliseconds)
      if (this.#isMeasured()) await this.#train()
      else await this.#measureSome()
    this.#seconds += (performance.now() - began) / 1000
  }

  /** Steps of training, with all that is due after each. */
  async advance(count: number): Promise<void> {
    for (let i = 0; i < count && this.#step < mostSteps; i++) {
      await this.#train()
      while (!this.#isMeasured()) await this.#measureSome()
    }
  }

  async #train(): Promise<void> {
    const began = performance.now()
    const { x, y } = this.#batch()
    const { loss, slope } = await this.#programs.step(x, y)
    if (!Number.isFinite(loss[0]!)) {
      this.#state = 'done'
      throw new Error(`The loss became ${loss[0]} at step ${this.#step + 1}. Go back, and lower the learning rate.`)
    }
    this.#losses[this.#step] = loss[0]!
    this.#slope = slope
    this.#step++
    const took = performance.now() - began
    this.#stepTime = this.#stepTime === 0 ? took : 0.9 * this.#stepTime + 0.1 * took
    this.#keep()
  }

  /** Goes back to (or forth to) a step that was kept; training goes on from there to the same numbers as before. */
  seek(step: number): void {
    const kept = this.#snapshots.get(step)
    if (!kept) throw new Error(`step ${step} wasn't kept`)
    this.#variables.forEach((variable, i) => {
      variable.write(kept[i]!)
    })
    this.#step = step
    this.#measuring = { at: 0, right: 0 }
    this.#ignoresStop = false
    this.#state = this.#isDone() ? 'done' : 'idle'
  }

  /** What there is to see: of the chosen picture, and losses from a step on. */
  async frame(chosen: Chosen, lossesFrom: number): Promise<TrainFrame> {
    const { x, label } = this.#picture(chosen)
    const { values, shares } = await this.#programs.look(x)
    const [picture, ...maps] = values.map((data, i) => ({
      shape: i === 0 ? this.#model.inputShape : this.#model.steps[i - 1]!.built.shape,
      data,
    }))
    const kernels = (data: Float32Array): Numbers => ({ shape: this.#kernelShape, data })
    const from = Math.min(lossesFrom, this.#step)
    return {
      state: this.#state,
      step: this.#step,
      losses: { from, values: this.#losses.slice(from, this.#step) },
      accuracies: [...this.#accuracies].filter(([step]) => step <= this.#step),
      kept: [...this.#snapshots.keys()],
      kernels: kernels(this.#first.read()),
      firstKernels: kernels(this.#snapshots.get(0)![0]!.slice()),
      gradients: kernels(this.#slope.slice()),
      picture: picture!,
      maps,
      shares,
      label,
      stepTime: this.#stepTime,
      seconds: this.#seconds,
    }
  }

  /** The model as it stands: a file. */
  save(): Uint8Array<ArrayBuffer> {
    return this.#model.toBytes()
  }

  #batch(): { x: Float32Array; y: Float32Array } {
    const { train } = this.#data
    const { batchSize, seed } = this.#settings
    const perEpoch = Math.floor(train.y.length / batchSize)
    const epoch = Math.floor(this.#step / perEpoch)
    if (this.#order?.epoch !== epoch) this.#order = { epoch, indices: shuffled(train.y.length, seed, epoch) }
    const at = (this.#step % perEpoch) * batchSize
    return rowsOf(train, this.#order.indices.subarray(at, at + batchSize))
  }

  #picture(chosen: Chosen): { x: Float32Array; label: number } {
    if ('drawn' in chosen) return { x: chosen.drawn, label: -1 }
    const { heldOut } = this.#data
    const { x, y } = rowsOf(heldOut, [chosen.heldOut % heldOut.y.length])
    return { x, label: y[0]! }
  }

  #keep(): void {
    if (isKept(this.#step) && !this.#snapshots.has(this.#step))
      this.#snapshots.set(
        this.#step,
        this.#variables.map((variable) => variable.read()),
      )
    if (this.#isDone()) this.#state = 'done'
  }

  #isMeasured(): boolean {
    return !isMeasured(this.#step) || this.#accuracies.has(this.#step)
  }

  #isDone(): boolean {
    const { stopAt } = this.#settings
    const share = this.#accuracies.get(this.#step) ?? 0
    return this.#step >= mostSteps || (!this.#ignoresStop && stopAt < 1 && share >= stopAt)
  }

  /** Measures one more group of held-out pictures: a pause needn't wait for all. */
  async #measureSome(): Promise<void> {
    const { heldOut } = this.#data
    const state = this.#measuring
    const { x, y } = rowsOf(
      heldOut,
      Array.from({ length: group }, (_, i) => state.at + i),
    )
    state.right += (await this.#programs.hits(x, y))[0]!
    state.at += group
    if (state.at < heldOut.y.length) return
    this.#accuracies.set(this.#step, state.right / heldOut.y.length)
    this.#measuring = { at: 0, right: 0 }
    if (this.#isDone()) this.#state = 'done'
  }
}

function rowsOf({ x, y, size }: Pictures, indices: ArrayLike<number>): { x: Float32Array; y: Float32Array } {
  const pixels = size ** 2
  const rows = { x: new Float32Array(indices.length * pixels), y: new Float32Array(indices.length) }
  for (let i = 0; i < indices.length; i++) {
    const from = indices[i]! * pixels
    rows.x.set(x.subarray(from, from + pixels), i * pixels)
    rows.y[i] = y[indices[i]!]!
  }
  return rows
}
