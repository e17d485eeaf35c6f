import { brightness, type Picture } from '../shared/picture.ts'
import { side } from './layers.ts'

/** Brightness of the left square of a photo whose side is three times as long, each pixel the mean of nine. */
export function wholePicture(picture: Picture): Float32Array {
  const grey = brightness(picture)
  const { width, height } = picture
  const scale = Math.floor(height / side)
  const left = Math.floor((width - scale * side) / 3)
  return Float32Array.from({ length: side * side }, (_, i) => {
    const [y, x] = [Math.floor(i / side) * scale, left + (i % side) * scale]
    let sum = 0
    for (let v = 0; v < scale; v++) for (let u = 0; u < scale; u++) sum += grey[(y + v) * width + x + u]!
    return sum / (scale * scale)
  })
}

/** Brightness less 0.5 of `count` squares of a photo, all over it: the inputs that a field is averaged over. */
export function squaresOf(picture: Picture, count: number): Float32Array {
  const grey = brightness(picture)
  const { width, height } = picture
  const squares = new Float32Array(count * side * side)
  for (let n = 0; n < count; n++) {
    // steps of the golden ratio and of its square go everywhere without a pattern
    const left = Math.floor(((n * 0.618034) % 1) * (width - side + 1))
    const top = Math.floor(((n * 0.381966 + n / count) % 1) * (height - side + 1))
    for (let i = 0; i < side * side; i++)
      squares[n * side * side + i] = grey[(top + Math.floor(i / side)) * width + left + (i % side)]! - 0.5
  }
  return squares
}
