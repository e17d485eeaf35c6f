// TensorFlow's operations that move elements, and those on shapes.
import { everywhere } from '../onnx/elements.ts'
import type { TfNode } from './node.ts'
import type { Attributes, Translate, Translation, Translations } from './translation.ts'

/** Beyond any axis: "to the end". */
const end = 2 ** 31 - 1

const axisOf = (node: TfNode, i: number) => node.numbers(i)[0] ?? node.fail('its axis is empty')

/** The parts of a slice along one axis. */
interface Part {
  readonly axis: number
  readonly from: number
  readonly to: number
  readonly step: number
  readonly shrinks: boolean
}

/** What begin, end and strides with their masks say of each axis; axes behind an ellipsis count from the end. */
function partsOf(node: TfNode): { parts: Part[]; added: number[] } {
  const [begins, ends, strides] = [1, 2, 3].map((i) => node.numbers(i))
  const mask = (name: string) => (i: number) => ((node.int(name, 0) >> i) & 1) === 1
  const [fromStart, toEnd, skips] = [mask('begin_mask'), mask('end_mask'), mask('ellipsis_mask')]
  const [adds, shrinks] = [mask('new_axis_mask'), mask('shrink_axis_mask')]
  const count = begins.length
  const entries = Array.from({ length: count }, (_, i) => i)
  const ellipsis = entries.find(skips) ?? count
  const parts: Part[] = []
  const added: number[] = []
  let [axis, place] = [0, 0]
  for (const i of entries) {
    if (i === ellipsis) {
      // what is left counts backwards from the last axis
      const behind = entries.slice(i + 1)
      axis = -behind.filter((k) => !adds(k)).length
      place = -behind.filter((k) => adds(k) || !shrinks(k)).length
    } else if (adds(i)) added.push(place++)
    else {
      const step = strides[i] ?? 1
      const back = step < 0
      const single = shrinks(i)
      const from = fromStart(i) && !single ? (back ? end : 0) : begins[i]
      const one = begins[i] === -1 ? end : begins[i] + 1
      const to = single ? one : toEnd(i) ? (back ? -end : end) : (ends[i] ?? end)
      parts.push({ axis: axis++, from, to, step: single ? 1 : step, shrinks: single })
      if (!single) place++
    }
  }
  return { parts, added }
}

function sliced(to: Translation, x: string, parts: readonly Part[]): string {
  const list = (pick: (part: Part) => number) => to.ints(...parts.map(pick))
  if (parts.length === 0) return to.node('Identity', [x])
  return to.node('Slice', [x, list((p) => p.from), list((p) => p.to), list((p) => p.axis), list((p) => p.step)])
}

const stridedSlice: Translate = (node, to) => {
  const { parts, added } = partsOf(node)
  let x = sliced(to, node.input(0), parts)
  const gone = parts.filter((part) => part.shrinks).map((part) => part.axis)
  if (gone.length > 0) x = to.node('Squeeze', [x, to.ints(...gone)])
  return added.length > 0 ? to.node('Unsqueeze', [x, to.ints(...added)]) : x
}

/** A size of -1 means all that is left. */
const slice: Translate = (node, to) => {
  const [begin, size] = [node.numbers(1), node.numbers(2)]
  const parts = begin.map((from, axis): Part => {
    const n = size[axis] ?? node.fail(`${begin.length} starts and ${size.length} sizes`)
    return { axis, from, to: n < 0 ? end : from + n, step: 1, shrinks: false }
  })
  return sliced(to, node.input(0), parts)
}

const reverse: Translate = (node, to) => {
  const parts = node.numbers(1).map((axis): Part => ({ axis, from: end, to: -end, step: -1, shrinks: false }))
  return sliced(to, node.input(0), parts)
}

const concat =
  (axisFirst: boolean): Translate =>
  (node, to) => {
    const values = axisFirst ? node.inputs.slice(1) : node.inputs.slice(0, -1)
    return to.node('Concat', values, { axis: axisOf(node, axisFirst ? 0 : node.inputs.length - 1) })
  }

const pack: Translate = (node, to) => {
  const axis = node.int('axis', 0)
  const parts = node.inputs.map((input) => to.node('Unsqueeze', [input, to.ints(axis)]))
  return to.node('Concat', parts, { axis })
}

/** Most results of one node. */
const mostResults = 4096

function resultsOf(node: TfNode, to: Translation, count: number): string[] {
  if (count < 1 || count > mostResults) node.fail(`${count} results`)
  return to.outputs(count)
}

const unpack: Translate = (node, to) => {
  const axis = node.int('axis', 0)
  const names = resultsOf(node, to, node.int('num', 0))
  const parts = names.map((_, i) => {
    const part = { axis, from: i, to: i + 1, step: 1, shrinks: true }
    return to.node('Squeeze', [sliced(to, node.input(0), [part]), to.ints(axis)])
  })
  return parts
}

const split: Translate = (node, to) => {
  const names = resultsOf(node, to, node.int('num_split', 0))
  to.nodeTo(names, 'Split', [node.input(1)], { axis: axisOf(node, 0), num_outputs: names.length })
  return names
}

const splitSizes: Translate = (node, to) => {
  const sizes = node.numbers(1)
  if (sizes.some((n) => n < 0)) node.fail(`sizes ${sizes}`)
  const names = resultsOf(node, to, sizes.length)
  to.nodeTo(names, 'Split', [node.input(0), to.ints(...sizes)], { axis: axisOf(node, 2) })
  return names
}

const squeeze: Translate = (node, to) => {
  const axes = node.ints('squeeze_dims').length > 0 ? node.ints('squeeze_dims') : node.ints('axis')
  return to.node('Squeeze', axes.length > 0 ? [node.input(0), to.ints(...axes)] : [node.input(0)])
}

/** Padding [axes, 2] as ONNX's list of all lows, then all highs. */
function padsOf(node: TfNode): number[] {
  const pads = node.numbers(1)
  return [...pads.filter((_, i) => i % 2 === 0), ...pads.filter((_, i) => i % 2 === 1)]
}

const pad: Translate = (node, to) => {
  const value = node.inputs[2] === undefined ? [] : [node.input(2)]
  return to.node('Pad', [node.input(0), to.ints(...padsOf(node)), ...value], { mode: 'constant' })
}

const mirrorPad: Translate = (node, to) => {
  const mode = node.text('mode', 'REFLECT')
  if (mode !== 'REFLECT') node.fail(`mode '${mode}'`, 'Use REFLECT')
  return to.node('Pad', [node.input(0), to.ints(...padsOf(node))], { mode: 'reflect' })
}

const resize =
  (mode: 'linear' | 'nearest'): Translate =>
  (node, to) => {
    const [corners, centers] = [node.flag('align_corners'), node.flag('half_pixel_centers')]
    const where = corners ? 'align_corners' : centers ? 'half_pixel' : 'asymmetric'
    // nearest: the element whose square the point lies in, a point between two belongs to the second
    const rounding: Attributes =
      mode === 'linear' ? {} : { nearest_mode: corners || centers ? 'round_prefer_ceil' : 'floor' }
    const attributes = { mode, coordinate_transformation_mode: where, ...rounding, axes: [2, 3] }
    const inputs = [to.first(node.input(0), 4), '', '', node.input(1)]
    return to.last(to.node('Resize', inputs, attributes), 4)
  }

const blocks =
  (op: string): Translate =>
  (node, to) => {
    if (node.text('data_format', 'NHWC') !== 'NHWC') node.fail('channels first')
    const blocksize = node.int('block_size', 2)
    return to.last(to.node(op, [to.first(node.input(0), 4)], { blocksize }), 4)
  }

/** One value in the shape of the input. */
const filled =
  (value: number): Translate =>
  (node, to) =>
    to.node('Expand', [to.constant(everywhere('float32', [], value)), to.node('Shape', [node.input(0)])])

const shape: Translate = (node, to) => to.node('Shape', [node.input(0)])
const same: Translate = (node) => node.input(0)

export const moveOps: Translations = {
  BroadcastTo: (node, to) => to.node('Expand', [node.input(0), node.input(1)]),
  Concat: concat(true),
  ConcatV2: concat(false),
  DepthToSpace: blocks('DepthToSpace'),
  ExpandDims: (node, to) => to.node('Unsqueeze', [node.input(0), to.ints(axisOf(node, 1))]),
  Fill: (node, to) => to.node('Expand', [node.input(1), node.input(0)]),
  Gather: (node, to) => to.node('Gather', [node.input(0), node.input(1)], { axis: 0 }),
  GatherV2: (node, to) => to.node('Gather', [node.input(0), node.input(1)], { axis: axisOf(node, 2) }),
  Identity: same,
  MirrorPad: mirrorPad,
  OnesLike: filled(1),
  Pack: pack,
  Pad: pad,
  PadV2: pad,
  PlaceholderWithDefault: same,
  Range: (node, to) => to.node('Range', [node.input(0), node.input(1), node.input(2)]),
  Reshape: (node, to) => to.node('Reshape', [node.input(0), node.input(1)], { allowzero: 1 }),
  ResizeBilinear: resize('linear'),
  ResizeNearestNeighbor: resize('nearest'),
  Reverse: reverse,
  ReverseV2: reverse,
  Shape: shape,
  Size: (node, to) => to.node('Size', [node.input(0)]),
  Slice: slice,
  Snapshot: same,
  SpaceToDepth: blocks('SpaceToDepth'),
  Split: split,
  SplitV: splitSizes,
  Squeeze: squeeze,
  StopGradient: same,
  StridedSlice: stridedSlice,
  Tile: (node, to) => to.node('Tile', [node.input(0), node.input(1)]),
  Transpose: (node, to) => to.node('Transpose', [node.input(0)], { perm: node.numbers(1) }),
  Unpack: unpack,
  ZerosLike: filled(0),
}
