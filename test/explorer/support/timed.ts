/**
 * A time that differs by machine and by what else runs on it: warned about over the bound, an error over twice of it,
 * except in continuous integration.
 */
export function expectInTime(what: string, milliseconds: number, bound: number): void {
  if (milliseconds <= bound) return
  const told = `${what}: ${milliseconds.toFixed(1)} ms, over ${bound}`
  if (milliseconds > 2 * bound && !process.env.CI) throw new Error(told)
  console.warn(told)
}
