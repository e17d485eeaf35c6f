export type { Dataset } from './dataset.ts'
