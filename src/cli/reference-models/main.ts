// `npm run models -- FOLDER [--browser]`: pretrained models against their references.
import { Command } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import { modelsCommand } from './command.ts'

const command = new Command('models')
  .description('runs a folder of pretrained models, ONNX and tfjs, and compares with their references')
  .argument('[folder]', 'with ref/reference.json (default: models in FOVEA_DATA)')
  .option('--browser', 'in headless Chromium, each on a page of its own')
  .action(async (folder: string | undefined, { browser = false }: { readonly browser?: boolean }) => {
    if (!(await modelsCommand(folder, browser, console.log))) process.exitCode = 1
  })

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
