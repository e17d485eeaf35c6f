export type { LoadTfjsOptions, TfjsFiles, TfjsSource } from './files.ts'
export { type LoadGraphOptions, loadGraphModel, tfjsOperations } from './graph.ts'
export { type LoadLayersOptions, loadLayersModel } from './layers.ts'
export { saveLayersModel, saveLayersModelFiles } from './save.ts'
