// A neocognitron for handwritten digits. Cells as in K. Fukushima, "Neocognitron", 1980, with the limit that much
// reinforcement leads to; planes of the second module by "add-if-silent": K. Fukushima, "Artificial vision by
// multi-layered neural networks: neocognitron and its advances", 2013. No labels are seen.
import { conv } from '../graph/conv.ts'
import { add, div, mul, relu, sqrt, sub } from '../graph/map.ts'
import { mean } from '../graph/reduce.ts'
import { fill, type Tensor, tensor } from '../graph/tensor.ts'
import { kernelOf } from './cells.ts'

/** Edge of what an S-cell sees. */
export const window = 5
/** Planes of the first module: lines of so many angles. */
export const angles = 12
/** Selectivities r of the two modules: a cell fires where the cosine exceeds r / (1 + r). */
const r = [2, 1] as const
/** Length of what counts as nothing in each module: windows much weaker than this leave their cells silent. */
const faint = [0.5, 0.05] as const
const alpha = 0.5

/** A patch as a cell of this length 1 remembers it. */
export function unitLength(patch: Float32Array): Float32Array {
  const norm = Math.sqrt(patch.reduce((sum, v) => sum + v * v, 0))
  return patch.map((v) => v / norm)
}

/** Patches of length 1, each [5, 5, C], as one kernel [5, 5, C, K]. */
function kernelsOf(patches: readonly Float32Array[], channels: number): Tensor {
  const values = new Float32Array(patches.length * window * window * channels)
  patches.forEach((patch, k) => {
    patch.forEach((v, i) => {
      values[i * patches.length + k] = v
    })
  })
  return tensor(values, [window, window, channels, patches.length])
}

const lines = Array.from({ length: angles }, (_, k) => {
  const [sin, cos] = [Math.sin((Math.PI * k) / angles), Math.cos((Math.PI * k) / angles)]
  return unitLength(Float32Array.from(kernelOf(window, (x, y) => Math.exp(-((x * sin - y * cos) ** 2)))))
})

/**
 * S-cells whose weights were reinforced by a patch each until q v^2 is large: then the paper's formula becomes
 * (1 + r) phi[cosine of patch and window - r / (1 + r)]. x [N, H, W, C] to [N, H, W, K].
 */
function simple(x: Tensor, patches: readonly Float32Array[], module: 0 | 1): Tensor {
  const selectivity = r[module]
  const channels = x.shape[3]!
  const seen = conv(x, kernelsOf(patches, channels), { padding: 'same' })
  const square = conv(mul(x, x), fill([window, window, channels, 1], 1), { padding: 'same' })
  const cosine = div(seen, add(sqrt(square), faint[module]))
  return mul(relu(sub(cosine, selectivity / (1 + selectivity))), 1 + selectivity)
}

/** C-cells: a flat blur of 5x5 at every `step`th place, inhibited by the mean over the planes, saturating. */
function complex(s: Tensor, step: number): Tensor {
  const planes = s.shape[3]!
  const blurred = conv(s, fill([window, window, 1, planes], 4 / window ** 2), {
    padding: 2,
    stride: step,
    groups: planes,
  })
  const x = relu(sub(div(add(1, blurred), add(1, mean(blurred, [3], { keepAxes: true }))), 1))
  return div(x, add(x, alpha))
}

/** The first module's C-cells of x [N, 28, 28, 1]: [N, 14, 14, 12]. */
export const firstModule = (x: Tensor): Tensor => complex(simple(x, lines, 0), 2)

/** The second module's C-cells of the first's: [N, 5, 5, K]. */
export const secondModule = (x: Tensor, patches: readonly Float32Array[]): Tensor => complex(simple(x, patches, 1), 3)

/** The window [5, 5, C] around a place of [H, W, C], at least 2 from the border. */
export function windowAt(values: Float32Array, width: number, channels: number, y: number, x: number): Float32Array {
  const patch = new Float32Array(window * window * channels)
  for (let row = 0; row < window; row++) {
    const start = ((y - 2 + row) * width + x - 2) * channels
    patch.set(values.subarray(start, start + window * channels), row * window * channels)
  }
  return patch
}

/**
 * What the planes of the second module become: shown a window where every cell is silent, a new cell learns it and the
 * plane is made of its copies; where cells fire, the strongest is reinforced by it.
 * @param windows of the first module's C-cells, in the order in which they are shown
 * @param most planes; then nothing more is added
 */
export function addIfSilent(windows: readonly Float32Array[], most: number): Float32Array[] {
  const sums: Float32Array[] = []
  const patches: Float32Array[] = []
  const threshold = r[1] / (1 + r[1])
  for (const shown of windows) {
    const norm = Math.sqrt(shown.reduce((sum, v) => sum + v * v, 0)) + faint[1]
    const cosines = patches.map((patch) => patch.reduce((sum, v, i) => sum + v * shown[i]!, 0) / norm)
    const largest = Math.max(...cosines, 0)
    if (largest > threshold + margin) {
      const winner = cosines.indexOf(largest)
      const sum = sums[winner]!
      shown.forEach((v, i) => {
        sum[i]! += v
      })
      patches[winner] = unitLength(sum)
    } else if (patches.length < most && norm > 4 * faint[1]) {
      sums.push(shown.slice())
      patches.push(unitLength(shown))
    }
  }
  return patches
}

/** In learning cells count as silent a little above their threshold, so that there are enough (dual thresholds). */
const margin = 0.25
