import { fail } from '../base/errors.ts'

/** How far a download has come, in bytes. */
export interface LoadProgress {
  /** Bytes that have come. */
  readonly loaded: number
  /** Bytes that are expected, if the server says so. */
  readonly total: number | undefined
}

/** Progress, end and limit of a download. */
export interface LoadOptions {
  /** Called as bytes come. */
  readonly progress?: (progress: LoadProgress) => void
  /** Ends it: the promise is rejected with the signal's reason. */
  readonly signal?: AbortSignal
  /** More bytes are refused. Default 2^31. */
  readonly maxBytes?: number
}

/** The bytes behind a URL, for `loadModel`, `loadOnnx`, `idxDataset` and others. */
export async function load(url: string | URL, options: LoadOptions = {}): Promise<Uint8Array<ArrayBuffer>> {
  const { progress, signal, maxBytes = 2 ** 31 } = options
  const response = await fetch(url, { signal })
  if (!response.ok) fail('load', `${url} answers ${response.status} ${response.statusText}`.trim(), 'Check the address')
  const length = Number(response.headers.get('content-length'))
  // what is compressed on its way is longer than it says
  const total = length > 0 && !response.headers.get('content-encoding') ? length : undefined
  const tooLong = () => fail('load', `${url} has more than ${maxBytes} bytes`, 'Set maxBytes, or give another address')
  if (total !== undefined && total > maxBytes) tooLong()
  const parts: Uint8Array<ArrayBuffer>[] = []
  let loaded = 0
  const reader = response.body!.getReader()
  progress?.({ loaded, total })
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    parts.push(value)
    loaded += value.length
    if (loaded > maxBytes) {
      await reader.cancel()
      tooLong()
    }
    progress?.({ loaded, total })
  }
  const bytes = new Uint8Array(loaded)
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
