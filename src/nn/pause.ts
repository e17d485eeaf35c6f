/** Milliseconds of work after which others get a turn: a page's painting, timers, signals. */
const turn = 50

let last = 0

/** To be awaited between steps of long work: every now and then it lets the event loop go round. */
export async function pause(): Promise<void> {
  if (performance.now() - last < turn) return
  await new Promise<void>((resolve) => {
    // a message comes at once, where a timer would wait for milliseconds
    const { port1, port2 } = new MessageChannel()
    port1.onmessage = () => {
      port1.close()
      resolve()
    }
    port2.postMessage(0)
  })
  last = performance.now()
}
