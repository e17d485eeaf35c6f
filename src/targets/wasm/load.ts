/** From the bytes of a module to functions to call. */

/** A compiled kernel: (byte address of each buffer in order, begin, end) for the points [begin, end). */
export type KernelFunction = (...pointersBeginEnd: number[]) => void

/** The kernels of an `emitModule` module, in order, working in `memory`. Compiles off the calling thread. */
export async function loadModule(
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): Promise<readonly KernelFunction[]> {
  return kernelsOf(await WebAssembly.compile(bytes), memory)
}

/** The same at once. Pages may refuse this for large modules on their main thread; Node and workers don't. */
export const loadModuleSync = (bytes: Uint8Array<ArrayBuffer>, memory: WebAssembly.Memory): readonly KernelFunction[] =>
  kernelsOf(new WebAssembly.Module(bytes), memory)

/** The kernels of a module that was compiled before (a compiled module can be posted to workers). */
export function kernelsOf(module: WebAssembly.Module, memory: WebAssembly.Memory): readonly KernelFunction[] {
  const { exports } = new WebAssembly.Instance(module, { env: { memory } })
  return WebAssembly.Module.exports(module).map(({ name }) => exports[name] as KernelFunction)
}
