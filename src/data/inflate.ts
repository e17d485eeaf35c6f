import { fail } from '../base/errors.ts'

/**
 * Decompresses `bytes` and stops with an error as soon as more than `limit` bytes come out, so that a small hostile
 * file can't fill the memory. `what` names the thing in errors.
 */
export async function inflate(
  operation: string,
  what: string,
  bytes: Uint8Array,
  format: 'gzip' | 'deflate',
  limit: number,
): Promise<Uint8Array> {
  const source = new Blob([bytes as Uint8Array<ArrayBuffer>]).stream()
  const reader = source.pipeThrough(new DecompressionStream(format)).getReader()
  const chunks: Uint8Array[] = []
  let total = 0
  for (;;) {
    const { done, value } = await reader.read().catch((error: unknown) => unreadable(operation, what, format, error))
    if (done) break
    total += value.length
    if (total > limit) {
      await reader.cancel()
      fail(operation, `${what} decompresses to more than the ${limit} bytes allowed`, 'Check where the file comes from')
    }
    chunks.push(value)
  }
  return joined(chunks)
}

/** All parts, one after another. */
export function joined(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    whole.set(part, at)
    at += part.length
  }
  return whole
}

function unreadable(operation: string, what: string, format: string, error: unknown): never {
  const cause = (error as { cause?: unknown }).cause ?? error
  const reason = cause instanceof Error && cause.message ? ` (${cause.message})` : ''
  return fail(operation, `${what} is damaged or cut short: its ${format} data can't be read${reason}`, 'Fetch it again')
}
