export { loadKeras } from './load.ts'
export { kerasLayers, type ReadOptions } from './read.ts'
export { saveKeras, saveKerasFile } from './save.ts'
