import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { encodePng } from '../data/index.ts'
import { pick } from '../nn/options.ts'
import { writeFileAtomic } from '../runtime/files.ts'
import { cellsReport } from './history/cells.ts'
import { fukushimaReport } from './history/fukushima1969.ts'
import { neocognitronReport } from './history/neocognitron.ts'
import { alexnetReport, lenetReport, xceptionReport } from './history/networks.ts'
import type { HistoryReport } from './history/report.ts'
import { drawRows } from './show.ts'
import type { Terminal } from './terminal.ts'

/** The systems of the history by name: what each is, and what it shows. */
export const systems: Readonly<Record<string, { readonly about: string; report(): Promise<HistoryReport> }>> = {
  cells: { about: 'simple and complex cells (Hubel & Wiesel 1962)', report: cellsReport },
  fukushima1969: { about: 'analog threshold elements: lines, ends, dots, curvature', report: fukushimaReport },
  neocognitron: { about: 'neocognitron (Fukushima 1980): digits learned without labels', report: neocognitronReport },
  lenet5: { about: 'LeNet-5 as published (LeCun et al. 1998): sizes', report: lenetReport },
  alexnet: { about: 'AlexNet (Krizhevsky et al. 2012): sizes', report: alexnetReport },
  xception: { about: 'Xception (Chollet 2017) and MobileNet: sizes', report: xceptionReport },
}

/** `fovea history`: measures a system, prints the numbers, and draws it where there is something to see. */
export async function historyCommand(
  name: string,
  asked: { readonly output?: string },
  terminal: Terminal,
): Promise<number> {
  const { about, report } = pick('history', 'system', systems, name)
  const started = performance.now()
  const { lines, rows } = await report()
  terminal.print(about)
  for (const line of lines) terminal.print(line)
  if (rows.length === 0) return 0
  const output = asked.output ?? `runs/${name}.png`
  await mkdir(dirname(output), { recursive: true })
  await writeFileAtomic(output, encodePng(drawRows(rows.map(({ row }) => row))))
  terminal.print(`drew ${output} in ${((performance.now() - started) / 1000).toFixed(1)} s, from above:`)
  for (const { caption } of rows) terminal.print(`  ${caption}`)
  return 0
}
