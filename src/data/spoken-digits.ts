import { fail } from '../base/errors.ts'
import { filesInTarGz, findData } from './archive.ts'
import { type Dataset, datasetOf } from './dataset.ts'
import { parseWav } from './wav.ts'

/** Where the recordings of the Free Spoken Digit Dataset lie, and how long each becomes. */
export interface SpokenDigitsOptions {
  /** The folder `recordings`, or a .tar.gz that has it. */
  readonly path?: string
  /** Samples of each recording: longer ones lose their end, shorter ones get zeros. Default 4000: half a second. */
  readonly length?: number
}

/** Recordings `[length, 1]` with whose voice each is, and which of that voice's takes of the digit. */
export interface SpokenDigits {
  readonly all: Dataset
  readonly speakers: readonly string[]
  readonly takes: readonly number[]
}

const digits = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
const rate = 8000

async function recordings(path: string): Promise<Map<string, Uint8Array>> {
  const { readFile, readdir, stat } = await import('node:fs/promises')
  if ((await stat(path)).isFile()) return filesInTarGz(await readFile(path), path)
  const files = new Map<string, Uint8Array>()
  for (const name of await readdir(path)) if (name.endsWith('.wav')) files.set(name, await readFile(`${path}/${name}`))
  return files
}

/**
 * The Free Spoken Digit Dataset (Jackson et al., CC BY-SA 4.0): 3,000 recordings of six voices at 8,000 Hz, named
 * DIGIT_VOICE_TAKE.wav; its authors test on takes 0 to 4. Each is brought to root mean square 1 and starts where the
 * file does. It comes from `path`, else from `recordings` or `fsdd-wav.tar.gz` in the folder that `FOVEA_DATA` names.
 * Node only.
 */
export async function spokenDigits({ path, length = 4000 }: SpokenDigitsOptions = {}): Promise<SpokenDigits> {
  const remedy = 'Fetch it from https://github.com/Jakobovski/free-spoken-digit-dataset and give {path}'
  const place = await findData('spokenDigits', path, ['recordings', 'fsdd-wav.tar.gz'], remedy)
  const files = [...(await recordings(place))].flatMap(([name, bytes]) => {
    const [, digit, speaker, take] = /(?:^|\/)(\d)_(\w+)_(\d+)\.wav$/.exec(name) ?? []
    return digit === undefined ? [] : [{ name, bytes, digit: Number(digit), speaker: speaker!, take: Number(take) }]
  })
  if (files.length === 0) fail('spokenDigits', `${place} has no DIGIT_VOICE_TAKE.wav`, remedy)
  files.sort((a, b) => (a.name < b.name ? -1 : 1))
  const values = new Float32Array(files.length * length)
  files.forEach(({ name, bytes }, i) => {
    const sound = parseWav(bytes, name)
    if (sound.rate !== rate || sound.channels !== 1)
      fail('spokenDigits', `${name} has ${sound.channels} channels of ${sound.rate} Hz`, `Give one of ${rate} Hz`)
    const kept = sound.samples.subarray(0, length)
    const power = kept.reduce((sum, v) => sum + v * v, 0) / Math.max(1, kept.length)
    const gain = 1 / Math.sqrt(power + 1e-12)
    for (const [t, v] of kept.entries()) values[i * length + t] = v * gain
  })
  const labels = Uint8Array.from(files, ({ digit }) => digit)
  return {
    all: datasetOf(values, labels, [length, 1], digits),
    speakers: files.map(({ speaker }) => speaker),
    takes: files.map(({ take }) => take),
  }
}
