import type { RefObject } from 'preact'
import { useLayoutEffect, useState } from 'preact/hooks'

/** Width of the `.stage` or `.room` around an element (or its own), px; 0 before it is known. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(0)
  useLayoutEffect(() => {
    const own = element.current!.closest<HTMLElement>('.stage, .room') ?? element.current!
    setWidth(own.clientWidth)
    const observer = new ResizeObserver(() => setWidth(own.clientWidth))
    observer.observe(own)
    return () => observer.disconnect()
  }, [element])
  return width
}
