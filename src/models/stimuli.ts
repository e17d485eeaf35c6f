// Pictures that physiologists show to cells: gratings, bars, spots, arcs. Values 0 to 1, edges smooth over one pixel.

/** A square picture, row by row. */
export interface Picture {
  readonly size: number
  readonly values: Float32Array
}

/** A picture from a function of x to the right and y downwards, 0 in the middle. */
export function picture(size: number, value: (x: number, y: number) => number): Picture {
  const middle = (size - 1) / 2
  const at = (i: number) => value((i % size) - middle, Math.floor(i / size) - middle)
  return { size, values: Float32Array.from({ length: size * size }, (_, i) => at(i)) }
}

/** How much of a pixel at `distance` lies within `half` of a line. */
const cover = (distance: number, half: number) => Math.min(1, Math.max(0, half + 0.5 - Math.abs(distance)))

/** A sinusoidal grating whose bars lie at right angles to `orientation`; phase in radians. */
export const grating = (size: number, orientation: number, wavelength: number, phase: number): Picture => {
  const [c, s] = [Math.cos(orientation), Math.sin(orientation)]
  return picture(size, (x, y) => 0.5 + 0.5 * Math.cos((2 * Math.PI * (x * c + y * s)) / wavelength + phase))
}

/** Size and place of a bar, in pixels. */
export interface BarOptions {
  /** Pixels. Default 3. */
  readonly width?: number
  /** Pixels. Default without end. */
  readonly length?: number
  /** Pixels from the middle, at right angles to the bar. Default 0. */
  readonly offset?: number
  /** Pixels from the middle, along the bar. Default 0. */
  readonly along?: number
}

/** A bright bar at right angles to `orientation`. */
export const bar = (size: number, orientation: number, options: BarOptions = {}): Picture => {
  const { width = 3, length = Number.POSITIVE_INFINITY, offset = 0, along = 0 } = options
  const [c, s] = [Math.cos(orientation), Math.sin(orientation)]
  return picture(size, (x, y) => cover(x * c + y * s - offset, width / 2) * cover(y * c - x * s - along, length / 2))
}

/** A disc, or with a `width` the ring of that width around the radius. */
export const disc = (size: number, radius: number, width?: number): Picture =>
  picture(size, (x, y) => {
    const distance = Math.hypot(x, y)
    return width === undefined ? cover(distance, radius) : cover(distance - radius, width / 2)
  })

/** Pictures of one size as one list of values, [N, size, size, 1]. */
export function batchOf(pictures: readonly Picture[]): Float32Array {
  const length = pictures[0]!.values.length
  const values = new Float32Array(pictures.length * length)
  pictures.forEach((item, i) => {
    values.set(item.values, i * length)
  })
  return values
}
