// Yu & Koltun 2016: what a context module adds to a front end that can't see far.
import { type ContextNetOptions, contextFrontEnd, contextModule, contextNet } from '../../models/context.ts'
import { type Model, sequential } from '../../nn/index.ts'
import { percent } from '../terminal.ts'
import { camvid } from './camvid.ts'
import { sceneFile } from './pictures.ts'
import type { Measure, Outcome } from './report.ts'
import { farCue } from './scenes.ts'
import { meanIoU, measured, type Scenes, type SegmenterOptions, trainSegmenter } from './segmentation.ts'
import type { Settings } from './settings.ts'
import { light, totalsOf } from './sizes.ts'

const points = (share: number) => percent(share, 1)

/** Weights of layers that both have, by name; the last layer of `from` isn't the last of `to`. */
function carryOver(from: Model, to: Model): void {
  const kept = from.parameters.slice(0, -2)
  for (const { name, value } of kept.map((v) => ({ name: v.name, value: v.read() })))
    to.parameters.find((parameter) => parameter.name === name)?.write(value)
}

interface Task {
  readonly train: Scenes
  readonly test: Scenes
  readonly net: ContextNetOptions
  readonly fit: SegmenterOptions
}

async function trained({ train, net, fit }: Task, extra: ContextNetOptions, settings: Settings, from?: Model) {
  const { height, width, classes } = train
  const model = contextNet({ ...net, ...extra, inputShape: [height, width, 3], classes: classes.length })
  if (from) carryOver(from, model)
  await trainSegmenter(model, train, fit, settings)
  return model
}

const score = async (model: Model, scenes: Scenes) => meanIoU(await measured(model, scenes))

const cueEdge = 32

/** Discs whose marker is 13 to 15 pixels away; the front end sees 5x5. */
const cueTask = (quick: boolean): Task => ({
  train: farCue(400, 1, cueEdge),
  test: farCue(quick ? 50 : 200, 2, cueEdge),
  net: { depth: 2 },
  fit: { epochs: 25, learningRate: 0.004, batchSize: 4 },
})

/** Steps after which two first weights are compared: the specification's 200. */
const early = { epochs: 2 }

/** The published networks, for 21 classes. */
function sizes(): string[] {
  const module = (kind: 'basic' | 'large') =>
    sequential([66, 66, 21], contextModule(21, { kind, ...light }), { name: `${kind} context module` })
  return [
    ...totalsOf(contextFrontEnd(light), 'as published'),
    ...totalsOf(module('basic'), 'table 1'),
    ...totalsOf(module('large'), 'table 1'),
  ]
}

/** `fovea reproduce context-aggregation`. */
export async function reproduceContext(settings: Settings): Promise<Outcome> {
  const { quick } = settings
  const task = cueTask(quick)
  const shorter = { ...task, fit: { ...task.fit, epochs: 8 } }
  const front = await trained(quick ? shorter : task, { context: 'none' }, settings)
  const full = await trained(task, { context: 'dilated' }, settings)
  const measures: Measure[] = [
    { name: 'far cue: front end, mean IoU', value: await score(front, task.test), show: points, atMost: 0.65 },
    { name: 'far cue: with the module', value: await score(full, task.test), show: points, atLeast: 0.9 },
  ]
  const files = [
    await sceneFile('far-cue.png', task.test, 4, [
      ['front end', front],
      ['with the module', full],
    ]),
    { name: 'context.safetensors', caption: 'the network with the module', content: full.toBytes() },
  ]
  if (!quick) {
    const flat = await trained(task, { context: 'undilated' }, settings)
    const brief = { ...task, fit: { ...task.fit, ...early } }
    const starts = { identity: 0, gaussian: 0 }
    for (const start of ['identity', 'gaussian'] as const)
      starts[start] = await score(await trained(brief, { start }, settings, front), task.test)
    const bound = measures[0]!.value + 0.05
    measures.push(
      { name: 'far cue: as deep without dilation', value: await score(flat, task.test), show: points, atMost: bound },
      { name: 'far cue: 200 steps from the identity', value: starts.identity, show: points, atLeast: starts.gaussian },
      { name: 'far cue: 200 steps from Gaussian noise', value: starts.gaussian, show: points },
    )
    measures.push(...(await street(settings)))
  }
  return { measures, lines: sizes(), files }
}

/** CamVid: a front end that sees little, then the same with the module on top. */
async function street(settings: Settings): Promise<Measure[]> {
  const data = await camvid(settings, 96, 128)
  if (!data) return []
  const task: Task = {
    ...data,
    net: { width: 32, depth: 6, halvings: 2, channels: 16 },
    fit: { epochs: 20, learningRate: 0.003, batchSize: 4, augmented: true },
  }
  const front = await trained(task, { context: 'none' }, settings)
  const full = await trained(task, { context: 'dilated' }, settings, front)
  // as long for both: the front end goes on without the module
  const longer = await trained(task, { context: 'none' }, settings, front)
  const before = await score(longer, task.test)
  return [
    { name: 'CamVid: front end, half as long', value: await score(front, task.test), show: points },
    { name: 'CamVid: front end, mean IoU', value: before, show: points, paper: '69.8% (VOC)' },
    {
      name: 'CamVid: with the module',
      value: await score(full, task.test),
      show: points,
      atLeast: before,
      paper: '71.3% (VOC)',
    },
  ]
}
