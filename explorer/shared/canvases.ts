/** Canvases that no view uses now: the browser takes milliseconds to make a large one, and none to use one again. */
const spare: HTMLCanvasElement[] = []
const mostSpare = 32

const area = ({ width, height }: HTMLCanvasElement) => width * height

function nearest(width: number, height: number): HTMLCanvasElement | undefined {
  const fitting = spare
    .filter((canvas) => fits(canvas, width, height))
    .reduce<HTMLCanvasElement | undefined>((a, b) => (a && area(a) <= area(b) ? a : b), undefined)
  if (fitting) spare.splice(spare.indexOf(fitting), 1)
  return fitting
}

const fits = (canvas: HTMLCanvasElement, width: number, height: number) =>
  canvas.width >= width && canvas.height >= height && area(canvas) <= 6 * width * height

/**
 * The canvas in a place, at least so large in CSS pixels; what is too much is cut off by the place.
 * @param ratio of its own pixels to CSS pixels
 */
export function canvasIn(place: HTMLElement, width: number, height: number, ratio: number): HTMLCanvasElement {
  const [wide, high] = [width, height].map((size) => Math.ceil(size / 96) * 96 * ratio) as [number, number]
  const present = place.firstElementChild as HTMLCanvasElement | null
  if (present && fits(present, wide, high)) return sized(present, ratio)
  if (present) takeBack(place)
  const canvas = nearest(wide, high) ?? Object.assign(document.createElement('canvas'), { width: wide, height: high })
  place.append(canvas)
  return sized(canvas, ratio)
}

function sized(canvas: HTMLCanvasElement, ratio: number): HTMLCanvasElement {
  canvas.style.width = `${canvas.width / ratio}px`
  canvas.style.height = `${canvas.height / ratio}px`
  return canvas
}

/** The place is no longer used: its canvas is for others. */
export function takeBack(place: HTMLElement): void {
  const canvas = place.firstElementChild as HTMLCanvasElement | null
  canvas?.remove()
  if (canvas && spare.length < mostSpare) spare.push(canvas)
}
