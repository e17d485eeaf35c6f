/** Names that are unique in one kernel: `name('t')` gives t0, t1, ... */
export type Namer = (prefix: string) => string

export function namer(): Namer {
  const counts = new Map<string, number>()
  return (prefix) => {
    const n = counts.get(prefix) ?? 0
    counts.set(prefix, n + 1)
    return `${prefix}${n}`
  }
}
