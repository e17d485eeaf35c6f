/**
 * A time that differs by machine and by what else runs on it: told with its bound, a warning over it, an error over
 * twice of it, except in continuous integration.
 */
export function expectInTime(what: string, milliseconds: number, bound: number): void {
  const over = milliseconds > bound ? ', over it' : ''
  const told = `${what}: ${milliseconds.toFixed(1)} ms, the bound is ${bound}${over}`
  if (milliseconds > 2 * bound && !process.env.CI) throw new Error(told)
  if (over) console.warn(told)
  else console.info(told)
}
