#!/usr/bin/env node
import { CommanderError } from 'commander'
import { FoveaError } from '../base/errors.ts'
import { foveaProgram } from './program.ts'
import { processTerminal } from './terminal.ts'

const usageError = 2

/** Prints an error; returns the exit code: 0 for what isn't one, 1 for what went wrong, 2 for a wrong command line. */
function reported(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : usageError
  const known = error instanceof FoveaError || (error instanceof Error && 'syscall' in error)
  if (known && process.env.FOVEA_DEBUG === undefined) console.error(`error: ${error.message}`)
  else console.error(error)
  return 1
}

// `fovea models | head -1`: whoever reads may stop reading
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

try {
  await foveaProgram(processTerminal(), (code) => {
    process.exitCode = code
  }).parseAsync()
} catch (error) {
  process.exitCode = reported(error)
}
