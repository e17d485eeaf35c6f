// `npm run models -- FOLDER`: pretrained models against their references.
import { Command } from 'commander'
import { FoveaError } from '../../base/errors.ts'
import { modelsCommand } from './command.ts'

const command = new Command('models')
  .description('runs a folder of pretrained models, ONNX and tfjs, and compares with their references')
  .argument('[folder]', 'with ref/reference.json (default: models in FOVEA_DATA)')
  .action(async (folder: string | undefined) => {
    if (!(await modelsCommand(folder, console.log))) process.exitCode = 1
  })

try {
  await command.parseAsync()
} catch (error) {
  if (!(error instanceof FoveaError)) throw error
  console.error(error.message)
  process.exitCode = 1
}
