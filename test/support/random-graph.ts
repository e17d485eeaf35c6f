/** Random expressions of whole numbers: every operation is exact in float32, so every target must give the same. */
import { FoveaError } from '../../src/base/errors.ts'
import type { RandomSource } from '../../src/base/random.ts'
import { sizeOf } from '../../src/base/shape.ts'
import * as graph from '../../src/graph/index.ts'
import { placeholder, type Tensor } from '../../src/graph/tensor.ts'

/** A tensor and the largest size that its elements can have. */
export interface Bounded {
  readonly node: Tensor
  readonly most: number
}

const limit = 2 ** 20

/** Cuts large values, so that nothing grows beyond exact whole numbers. */
function bounded(node: Tensor, most: number): Bounded {
  if (most <= limit) return { node, most }
  return { node: graph.maximum(graph.minimum(node, 60), -60), most: 60 }
}

export interface Pool {
  readonly random: RandomSource
  readonly nodes: Bounded[]
  readonly inputs: Tensor[]
  /** Key of `uniform`, if it is used. */
  readonly key: Tensor
  /** Makes an input; whole numbers from -4 to 4. */
  readonly make: (shape: readonly number[]) => Tensor
}

const pick = <T>(random: RandomSource, list: readonly T[]): T => list[random.integer(list.length)]!

/** Later nodes more often, so that expressions get deep. */
const pickNode = ({ random, nodes }: Pool): Bounded =>
  random.integer(3) > 0 ? nodes[nodes.length - 1 - random.integer(Math.min(3, nodes.length))]! : pick(random, nodes)

export function input(pool: Pool, shape: readonly number[]): Bounded {
  const node = pool.make(shape)
  pool.inputs.push(node)
  const one = { node, most: 4 }
  pool.nodes.push(one)
  return one
}

/** A shape that broadcasts with `shape`: some axes 1, some leading ones left out. */
function partner(random: RandomSource, shape: readonly number[]): number[] {
  const kind = random.integer(5)
  if (kind === 0) return [...shape]
  if (kind === 1) return shape.slice(-1)
  if (kind === 2) return []
  return shape.map((n) => (random.integer(2) === 0 ? 1 : n)).slice(random.integer(shape.length + 1))
}

/** An operand for `a`: another node where one fits, a number, or a new input. */
function operandFor(pool: Pool, a: Bounded): Bounded {
  const { random } = pool
  const b = pickNode(pool)
  const kind = random.integer(4)
  if (kind === 0) {
    const value = random.integer(5) - 2
    return { node: graph.fill([], value), most: Math.abs(value) }
  }
  if (kind === 1) return input(pool, partner(random, a.node.shape))
  return b
}

const unary = [graph.neg, graph.abs, graph.sign, graph.relu, graph.floor]

function convolved(pool: Pool, a: Bounded): Bounded {
  const { random } = pool
  const shape = a.node.shape
  const rank = shape.length - 2
  if (rank < 1 || sizeOf(shape) > 2000) throw new FoveaError('no convolution of this')
  const channels = shape.at(-1)!
  const small = graph.maximum(graph.minimum(a.node, 50), -50)
  const kernel = shape.slice(1, -1).map((n) => 1 + random.integer(Math.min(n, 3)))
  const depthwise = random.integer(3) === 0
  const filters = depthwise ? channels : 1 + random.integer(9)
  const w = input(pool, [...kernel, depthwise ? 1 : channels, filters])
  const options = { stride: 1 + random.integer(2), padding: random.integer(2), groups: depthwise ? channels : 1 }
  const terms = sizeOf(kernel) * Math.max(channels, filters)
  if (random.integer(3) > 0) return bounded(graph.conv(small, w.node, options), terms * Math.min(a.most, 50) * 4)
  const back = input(pool, [...kernel, depthwise ? 1 : filters, channels])
  return bounded(graph.convTranspose(small, back.node, options), terms * Math.min(a.most, 50) * 4)
}

function moved(pool: Pool, { node, most }: Bounded): Bounded {
  const { random } = pool
  const { shape } = node
  switch (random.integer(6)) {
    case 0:
      return { node: graph.reshape(node, [sizeOf(shape)]), most }
    case 1: {
      const at = random.integer(Math.max(shape.length - 1, 1))
      const merged = [...shape.slice(0, at), (shape[at] ?? 1) * (shape[at + 1] ?? 1), ...shape.slice(at + 2)]
      return { node: graph.reshape(node, merged), most }
    }
    case 2:
      return { node: graph.reshape(node, [1, ...shape]), most }
    case 3: {
      const order = shape.map((_, i) => i)
      return { node: graph.transpose(node, order.reverse()), most }
    }
    case 4: {
      const other = graph.neg(node)
      return { node: graph.concat([node, other, node], random.integer(Math.max(shape.length, 1))), most }
    }
    default:
      return {
        node: graph.pad(
          node,
          shape.map((n): [number, number] => [random.integer(2), n > 1 ? -1 : 1]),
        ),
        most,
      }
  }
}

function step(pool: Pool): Bounded {
  const { random } = pool
  const a = pickNode(pool)
  switch (random.integer(12)) {
    case 0:
    case 1:
      return { node: pick(random, unary)(a.node), most: a.most }
    case 2:
      return moved(pool, a)
    case 3: {
      const axes = a.node.shape.map((_, i) => i).filter(() => random.integer(2) === 0)
      const keepAxes = random.integer(2) === 0
      if (random.integer(3) === 0) return { node: graph.max(a.node, axes, { keepAxes }), most: a.most }
      return bounded(graph.sum(a.node, axes, { keepAxes }), a.most * sizeOf(axes.map((i) => a.node.shape[i]!)))
    }
    case 4:
    case 5:
      return convolved(pool, a)
    case 6: {
      if (random.integer(2) === 0) return { node: graph.broadcastTo(a.node, [2, ...a.node.shape]), most: a.most }
      return { node: graph.floor(graph.mul(graph.uniform(a.node.shape, pool.key, random.integer(3)), 8)), most: 8 }
    }
    case 7: {
      const [b, c] = [operandFor(pool, a), operandFor(pool, a)]
      return { node: graph.where(graph.less(a.node, b.node), b.node, c.node), most: Math.max(b.most, c.most) }
    }
    default: {
      const b = operandFor(pool, a)
      const [x, y] = random.integer(2) === 0 ? [a, b] : [b, a]
      switch (random.integer(7)) {
        case 0:
        case 1:
          return bounded(graph.add(x.node, y.node), x.most + y.most)
        case 2:
          return bounded(graph.sub(x.node, y.node), x.most + y.most)
        case 3:
          return bounded(graph.mul(x.node, y.node), x.most * y.most)
        case 4:
          return { node: graph.minimum(x.node, y.node), most: Math.max(x.most, y.most) }
        case 5:
          return { node: graph.equal(x.node, y.node), most: 1 }
        default:
          return { node: graph.maximum(x.node, y.node), most: Math.max(x.most, y.most) }
      }
    }
  }
}

const starts = [[6], [3, 5], [2, 1, 4], [1, 5, 3], [2, 4, 3, 5], [1, 6, 6, 8], [2, 3, 3, 3, 4], []]

/** `count` operations on inputs of one of many shapes; no tensor above 4000 elements. */
export function randomGraph(
  random: RandomSource,
  count: number,
  first: readonly Bounded[] = [],
  make: Pool['make'] = placeholder,
): Pool {
  const pool: Pool = { random, nodes: [...first], inputs: [], key: make([2]), make }
  if (first.length === 0) input(pool, pick(random, starts))
  for (let made = 0; made < count; ) {
    try {
      const next = step(pool)
      if (sizeOf(next.node.shape) > 4000 || next.node.shape.length > 6) continue
      pool.nodes.push(next)
      made++
    } catch (error) {
      // shapes that don't fit are drawn again
      if (!(error instanceof FoveaError)) throw error
    }
  }
  return pool
}

/** Whole numbers for all inputs. */
export function wholeFeeds({ random, inputs, key }: Pool): Map<Tensor, number[]> {
  const feeds = new Map<Tensor, number[]>([[key, [random.integer(1000), random.integer(1000)]]])
  for (const x of inputs)
    feeds.set(
      x,
      Array.from({ length: sizeOf(x.shape) }, () => random.integer(9) - 4),
    )
  return feeds
}
