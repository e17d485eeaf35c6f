export { FoveaError } from './base/errors.ts'
export { type CompileOptions, compile, type Program } from './compile.ts'
export * from './graph/index.ts'
export { setThreads } from './program/state.ts'
