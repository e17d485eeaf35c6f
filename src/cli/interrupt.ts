/** From one Ctrl-C `npm` makes two signals: the terminal's and its own. Those within this time are one, in ms. */
const oneKey = 500

export interface Interrupt {
  /** Aborted by the first Ctrl-C. */
  readonly signal: AbortSignal
  /** Gives Ctrl-C its usual meaning back. */
  release(): void
}

/** The first Ctrl-C aborts the signal, the next ends the process at once. */
export function onInterrupt(note: (line: string) => void): Interrupt {
  const controller = new AbortController()
  let first = 0
  const listen = () => {
    if (!controller.signal.aborted) {
      first = performance.now()
      controller.abort()
      note('stopping after this step; Ctrl-C again stops at once')
    } else if (performance.now() - first > oneKey) process.exit(130)
  }
  process.on('SIGINT', listen)
  return { signal: controller.signal, release: () => process.off('SIGINT', listen) }
}
