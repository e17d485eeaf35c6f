import { fail } from './errors.ts'

/**
 * What FOVEA_DEBUG may name: what is printed of every program, and `check`, which proves every kernel's addresses and
 * fills scratch memory with NaN.
 */
export type DebugName = 'plan' | 'kernel' | 'wat' | 'time' | 'check'

const names: readonly string[] = ['plan', 'kernel', 'wat', 'time', 'check']

interface Surroundings {
  readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> }
  readonly location?: { readonly search?: string }
}

/** The one debug switch: `FOVEA_DEBUG=plan,time` in Node, `?debug=plan,time` in a page. Read once. */
function readSwitch(): ReadonlySet<string> {
  const { process, location } = globalThis as Surroundings
  const text = process?.env?.FOVEA_DEBUG ?? new URLSearchParams(location?.search ?? '').get('debug') ?? ''
  const chosen = text.split(',').filter(Boolean)
  for (const name of chosen)
    if (!names.includes(name)) fail('FOVEA_DEBUG', `'${name}' is unknown`, `Use some of ${names.join(', ')}`)
  return new Set(chosen)
}

let known: ReadonlySet<string> | undefined

export function debugs(name: DebugName): boolean {
  known ??= readSwitch()
  return known.has(name)
}
