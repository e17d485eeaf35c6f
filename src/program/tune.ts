import { contractionKernels, packedLength } from '../plan/contraction.ts'
import { closeTiles, cyclesPerProduct, fittingTiles, type RatedTile, type Tile } from '../plan/tiles.ts'
import { noEpilogue } from '../plan/types.ts'
import { keep, machine, readKept } from '../runtime/cache.ts'
import { emitModule } from '../targets/wasm/emit.ts'
import { loadModule } from '../targets/wasm/load.ts'
import { time } from './measure.ts'
import { features, runtime, setTiles } from './state.ts'

/** A matrix product whose operands come from the second cache, as those of most layers. */
const [positions, depth, columns] = [48, 512, 96]
/** Of what the cost model chooses: another tile must be faster than by what measurements vary. */
const favour = 0.95

/** A product of whole tiles. */
function productKernel({ rows, vectors }: Tile) {
  const engine = features()
  const whole = positions - (positions % rows)
  const shape = {
    name: 'tile',
    x: { buffer: 'x', length: whole * depth, offset: 0 },
    w: { buffer: 'w', length: packedLength(depth, columns, engine.lanes), offset: 0 },
    y: { buffer: 'y', length: whole * columns, offset: 0 },
    outer: [],
    rows: { extent: whole, x: depth, y: columns },
    columns,
    reduce: [{ extent: depth, x: 1, w: 1 }],
    sums: [],
    packed: true,
    rowsFirst: true,
  }
  return contractionKernels(shape, { rows, vectors }, engine, noEpilogue)[0]!
}

/** The least time of each tile over a few rounds, so that what else the machine does meets none in all of them. */
async function measureTiles(): Promise<RatedTile[]> {
  const { memory } = runtime()
  const tiles = closeTiles(features())
  const code = await loadModule(emitModule(tiles.map(productKernel), features()), memory.memory)
  const [x, w, y] = [positions * depth, depth * columns, positions * columns].map((n) => memory.allocate(4 * n + 16))
  const least = tiles.map(() => Infinity)
  const fitting = fittingTiles(features())
  for (const warmUp of [8, 0, 0, 0, 0, 0])
    tiles.forEach((_, i) => {
      least[i] = Math.min(least[i]!, time(() => code[i]!(x!, w!, y!, 0, 1), 2, warmUp).min)
    })
  for (const address of [x, w, y]) memory.free(address!)
  const slow = tiles.map((tile, i) => {
    const usual = fitting.some(({ rows, vectors }) => rows === tile.rows && vectors === tile.vectors)
    const rows = Math.floor(positions / tile.rows) * tile.rows
    return ((usual ? favour : 1) * least[i]!) / rows / cyclesPerProduct(tile, features().fused)
  })
  const best = Math.min(...slow)
  return tiles.map((tile, i) => ({ ...tile, slowness: Math.round((1000 * slow[i]!) / best) / 1000 }))
}

const isCount = (n: unknown, most: number) => Number.isInteger(n) && (n as number) >= 1 && (n as number) <= most

/** Tiles from a text that was kept, unless anything about it isn't as it should be. */
export function keptTiles(text: string | undefined, key: string): RatedTile[] | undefined {
  try {
    const { of, tiles } = JSON.parse(text ?? '')
    const good = (tiles as RatedTile[]).every(
      ({ rows, vectors, slowness }) => isCount(vectors, 3) && isCount(rows, 12) && slowness >= 1 && slowness < 1e6,
    )
    return of === key && good && tiles.length > 0 ? tiles : undefined
  } catch {
    return undefined
  }
}

/**
 * Lets a measurement choose the tiles of matrix products, where the cost model finds several about equally fast. It
 * takes some tenths of a second, once for each engine and machine: what it found is kept in the user's cache folder
 * (XDG_CACHE_HOME) or in the page's storage. Programs that are compiled from then on use it; all results keep their
 * bits.
 */
export async function tune(): Promise<void> {
  const { fused, relaxed, lanes } = features()
  const key = `1 ${machine()} ${lanes} ${relaxed} ${fused}`
  const name = `tiles ${key}`.replace(/[^\w.-]+/g, '-').slice(0, 200)
  const kept = keptTiles(await readKept(name), key)
  const tiles = kept ?? (await measureTiles())
  setTiles(tiles)
  if (!kept) await keep(name, JSON.stringify({ of: key, tiles }))
}
