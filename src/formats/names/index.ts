export { fromNames, schemeIn, toNames } from './convert.ts'
export { schemes as namesOfNetworks } from './schemes.ts'
