import { fail } from '../../base/errors.ts'
import type { External } from './tensors.ts'

/** Paths that a model may name: inside its folder, in its own spelling. */
function checkLocation(location: string): void {
  const parts = location.split(/[/\\]/)
  if (location === '' || location.includes('\0') || /^[/\\]|^[A-Za-z]:/.test(location) || parts.includes('..'))
    fail('loadOnnx', `external data '${location}' isn't inside the model's folder`, 'Put it beside the model')
}

function part(location: string, bytes: Uint8Array, offset: number, length: number | undefined): Uint8Array {
  const end = offset + (length ?? bytes.length - offset)
  if (end > bytes.length)
    fail('loadOnnx', `external data '${location}' has ${bytes.length} bytes, ${end} are needed`, 'Copy it again')
  return bytes.subarray(offset, end)
}

/** External data that the caller has at hand, by the location that the model names. */
export function externalFrom(files: ReadonlyMap<string, Uint8Array>): External {
  return (location, offset, length) => {
    checkLocation(location)
    const bytes = files.get(location)
    if (!bytes) return fail('loadOnnx', `external data '${location}' is missing`, 'Add it to option externalData')
    return part(location, bytes, offset, length)
  }
}

/** External data in the folder of a model's file; links that lead out of it are refused. Node only. */
export function externalBeside(modelPath: string): External {
  const { readFileSync, realpathSync } = process.getBuiltinModule('node:fs')
  const { dirname, resolve, sep } = process.getBuiltinModule('node:path')
  const folder = realpathSync(dirname(resolve(modelPath)))
  const known = new Map<string, Uint8Array>()
  return (location, offset, length) => {
    checkLocation(location)
    let bytes = known.get(location)
    if (!bytes) {
      let real: string
      try {
        real = realpathSync(resolve(folder, location))
      } catch {
        return fail('loadOnnx', `external data '${location}' is missing`, 'Put it beside the model')
      }
      if (!real.startsWith(folder + sep))
        fail('loadOnnx', `external data '${location}' leads out of the model's folder`, 'Put it beside the model')
      bytes = readFileSync(real)
      known.set(location, bytes)
    }
    return part(location, bytes, offset, length)
  }
}
