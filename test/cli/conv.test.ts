import { expect, test } from 'vitest'
import { convCommand } from '../../src/cli/conv.ts'

const layer = 'n1 32x32 c1 -> 4 k17 p8'

async function linesOf(fft: boolean, operation: string): Promise<string[]> {
  const lines: string[] = []
  const right = await convCommand(layer, { operation, show: 'candidates', check: true, fft }, (line) =>
    lines.push(line),
  )
  expect(right).toBe(true)
  return lines
}

test('--fft puts the Fourier transform among the candidates: chosen where it wins, else refused with a reason', async () => {
  const without = await linesOf(false, 'output')
  expect(without.some((line) => line.includes('fft'))).toBe(false)
  expect(without.some((line) => line.startsWith('candidate  ') && line.endsWith(', chosen'))).toBe(true)
  const output = await linesOf(true, 'output')
  expect(output.find((line) => line.includes('fft'))).toMatch(
    /^candidate {2}fft +predicted .* thousand cycles, chosen$/,
  )
  expect(output.some((line) => line.startsWith('check '))).toBe(true)
  const gradient = await linesOf(true, 'kernelGradient')
  expect(gradient).toContain('refused    fft: only outputs and gradients of the input')
})
