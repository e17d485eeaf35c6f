import { takeBack } from './canvases.ts'
import type { View } from './frame.ts'
import { layoutOf, paintView } from './paint.ts'
import { dark } from './theme.ts'

/** As wide as a stage usually is, px. */
const width = 700

/**
 * Paints views out of sight while the page has nothing else to do, so that the first change of a reader finds canvases
 * of these sizes, and compiled code.
 * @param scenes each makes the views of a state; one is painted at a time
 */
export function rehearse(scenes: readonly (() => readonly View[])[]): void {
  const [scene, ...rest] = scenes
  if (!scene || !('requestIdleCallback' in globalThis)) return
  requestIdleCallback(() => {
    const places = scene().map((view) => {
      const place = document.createElement('div')
      paintView(place, view, layoutOf(view, width), dark.value ? 'dark' : 'light')
      return place
    })
    places.forEach(takeBack)
    rehearse(rest)
  })
}
