import type { Drawing, Place, Row } from './protocol.ts'

/** Whether the graph is more than a chain. */
export const branches = (rows: readonly Row[]): boolean =>
  rows.some(({ from }, i) => from.length > 1 || (from.length === 1 && from[0] !== i - 1))

export const box = { width: 108, height: 34 } as const

/** Graphs of more rows are shown as a table only: a picture of them says nothing. */
export const mostBoxes = 300

/** Places for the boxes of a graph that branches, from the top down. The layout is loaded when it is needed. */
export async function layout(rows: readonly Row[]): Promise<Drawing | undefined> {
  if (!branches(rows) || rows.length > mostBoxes) return undefined
  const { Graph, layout: place } = (await import('@dagrejs/dagre')) as unknown as Dagre
  const graph = new Graph()
  graph.setGraph({ rankdir: 'TB', nodesep: 12, ranksep: 22, marginx: 4, marginy: 4 })
  graph.setDefaultEdgeLabel(() => ({}))
  rows.forEach((_, i) => {
    graph.setNode(String(i), { ...box })
  })
  rows.forEach(({ from }, i) => {
    for (const other of from) if (other >= 0) graph.setEdge(String(other), String(i))
  })
  place(graph)
  const { width = 0, height = 0 } = graph.graph()
  return {
    width,
    height,
    places: rows.map((_, i) => graph.node(String(i))),
    lines: graph.edges().map((edge) => graph.edge(edge).points),
  }
}

interface Dagre {
  readonly Graph: new () => {
    setGraph(options: object): void
    setDefaultEdgeLabel(label: () => object): void
    setNode(name: string, label: object): void
    setEdge(from: string, to: string): void
    graph(): { width?: number; height?: number }
    node(name: string): Place
    edges(): readonly object[]
    edge(edge: object): { readonly points: readonly Place[] }
  }
  layout(graph: object): void
}
