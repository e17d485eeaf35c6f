/** What a page shows, as plain data: a page's model makes it from its state by calling the library. */
export interface Frame {
  readonly views: readonly View[]
  /** The answer to the page's question in one line, above the picture. */
  readonly answer?: Fact
  /** The numbers beside the picture: a size formula, a written-out sum. */
  readonly facts: readonly Fact[]
  /** What a screen reader is told when the frame has changed. */
  readonly speak: string
  /** Rule, values and remedy, where the state can't be drawn; `views` may then be empty. */
  readonly problem?: string
}

export interface Fact {
  readonly name: string
  readonly text: string
}

/** Which colours: `signed` orange-0-blue, `heat` for counts and costs, `grey` and `photo` for pictures in 0..1. */
export type Scale = 'signed' | 'heat' | 'grey'

/** A tensor drawn as a grid of cells. All lists of cells are flat indices `row * columns + column`. */
export interface View {
  /** Unique on the page: input, kernel, output, ... */
  readonly name: string
  readonly title: string
  readonly rows: number
  readonly columns: number
  /** [rows * columns], the library's own numbers; NaN is an empty cell. */
  readonly values: ArrayLike<number>
  readonly scale: Scale
  /** The value of the strongest colour: the largest magnitude of the view's scope. */
  readonly limit: number
  /** [rows * columns * 3], red, green and blue in 0..1: a picture, painted instead of the values' colours. */
  readonly picture?: ArrayLike<number>
  /** Index printed beside the first row and column; -2 where two cells of padding come first. Default 0. */
  readonly firstRow?: number
  readonly firstColumn?: number
  /** 1 where the cell is padding: drawn faint, with a dashed edge. */
  readonly padding?: ArrayLike<number>
  /** 1 where nothing reads the cell: hatched. */
  readonly unread?: ArrayLike<number>
  readonly boxes?: readonly Box[]
  /** Cells read, in order: a dot in each. */
  readonly taps?: readonly number[]
  /** From the centre of one cell to that of another. */
  readonly arrows?: readonly (readonly [number, number])[]
  /** Several matrices side by side, an empty cell between them (mosaic.ts): edges of one, and how many there are. */
  readonly tiles?: Tiles
  /** Texts instead of the numbers. */
  readonly texts?: readonly string[]
  /** Cells can be edited. */
  readonly editable?: boolean
}

export interface Tiles {
  readonly rows: number
  readonly columns: number
  /** In a row of them. */
  readonly across: number
  readonly count: number
  /** What one is: "kernel", "map". */
  readonly noun: string
}

/** An outline around cells: `window` what a kernel covers, `pin` what is chosen, `trace` what is linked to it. */
export interface Box {
  readonly row: number
  readonly column: number
  readonly rows: number
  readonly columns: number
  readonly kind: 'window' | 'pin' | 'trace'
}

/** The same computation in three libraries. */
export interface Code {
  readonly fovea: string
  readonly pytorch: string
  readonly keras: string
}

/** A state with a name: a plain link. */
export interface Preset {
  readonly name: string
  /** Canonical fragment without '#'. */
  readonly fragment: string
  /** What to look at, in one sentence. */
  readonly note?: string
}

/** Largest magnitude of the finite values, at least `least` (an all-zero tensor is drawn as zeros). */
export function limitOf(values: ArrayLike<number>, least = 1e-9): number {
  let limit = least
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (size > limit && size < Infinity) limit = size
  }
  return limit
}

/**
 * A limit that `share` of the magnitudes stay under, to 1/4096 of the largest: large tensors are coloured by their
 * 99.5th percentile.
 */
export function percentileLimit(values: ArrayLike<number>, share = 0.995): number {
  const most = limitOf(values)
  const bins = new Uint32Array(4096)
  let count = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (!(size <= most)) continue
    bins[Math.min(Math.floor((size / most) * bins.length), bins.length - 1)]!++
    count++
  }
  let below = 0
  for (let bin = 0; bin < bins.length; bin++) {
    below += bins[bin]!
    if (below >= share * count) return (most * (bin + 1)) / bins.length
  }
  return most
}

/** The views with one limit for all that have signed colours, so that the same number has the same colour in each. */
export function sameScale(views: readonly View[]): View[] {
  const limit = Math.max(...views.filter(({ scale }) => scale === 'signed').map((view) => view.limit))
  return views.map((view) => (view.scale === 'signed' ? { ...view, limit } : view))
}
