// The door to large kernels: importing it adds convolution by the fast Fourier transform to what programs choose from.
import { addedAlgorithms } from './plan/choose.ts'
import { fft } from './plan/fft.ts'

if (!addedAlgorithms.includes(fft)) addedAlgorithms.push(fft)
