export interface Dataset {
  readonly length: number
}
