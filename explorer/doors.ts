/** The library's public doors, as its package names them: the explorer and its tests import nothing else of it. */
const source = new URL('../src/', import.meta.url).pathname

export const doors = [
  { find: /^fovea$/, replacement: `${source}index.ts` },
  { find: /^fovea\/(\w+)$/, replacement: `${source}$1/index.ts` },
]
