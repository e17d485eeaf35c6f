/** One leaf, or an array or record of trees: what programs take and return. */
export type Tree<Leaf> = Leaf | readonly Tree<Leaf>[] | { readonly [name: string]: Tree<Leaf> }

/** Rebuilds a tree with every leaf replaced, in a fixed order (arrays by position, records by insertion). */
export function mapTree<A, B>(
  tree: Tree<A>,
  isLeaf: (value: unknown) => boolean,
  change: (leaf: A, path: string) => B,
  path = '',
): Tree<B> {
  if (isLeaf(tree)) return change(tree as A, path)
  if (Array.isArray(tree)) return tree.map((child, i) => mapTree(child as Tree<A>, isLeaf, change, `${path}[${i}]`))
  if (typeof tree !== 'object' || tree === null) return change(tree as A, path)
  const record = tree as { readonly [name: string]: Tree<A> }
  return Object.fromEntries(
    Object.keys(record).map((name) => [name, mapTree(record[name]!, isLeaf, change, path ? `${path}.${name}` : name)]),
  )
}
