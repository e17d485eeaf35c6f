import { type Signal, signal } from '@preact/signals'
import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

/** Of each element that was measured: to ask for a width after a change makes the browser lay the page out at once. */
const widths = new WeakMap<HTMLElement, Signal<number>>()

function widthOf(element: HTMLElement): Signal<number> {
  const known = widths.get(element)
  if (known) return known
  const width = signal(element.clientWidth)
  widths.set(element, width)
  new ResizeObserver(() => {
    width.value = element.clientWidth
  }).observe(element)
  return width
}

/** Width of the `.stage` or `.room` around an element (or its own), px; 0 before it is known. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(
    () => widthOf(element.current!.closest<HTMLElement>('.stage, .room') ?? element.current!).subscribe(setWidth),
    [element],
  )
  return width
}
