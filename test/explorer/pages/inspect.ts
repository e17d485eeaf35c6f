import type { Page } from 'playwright'
import { expect } from 'vitest'
import { frameOf } from '../../../explorer/inspect/model.ts'
import { openFiles } from '../../../explorer/inspect/open.ts'
import { type InspectState, presets, sampleCount, inspect as schema } from '../../../explorer/inspect/state.ts'
import type { Subject } from '../../../explorer/inspect/subject.ts'
import type { PageContract } from '../contract.ts'
import { goTo, settled } from '../support/browser.ts'
import { fileOf } from '../support/files.ts'

const files = {
  digits: 'inspect/digits.safetensors',
  branches: 'inspect/branches.onnx',
  lenet: 'history/lenet5-1998.safetensors',
}
const opened = new Map<string, Promise<Subject>>()

/** A sample digit, as the page shows it. */
export function sample(index: number) {
  const bytes = new Uint8Array(fileOf('inspect/samples.bin'))
  const from = sampleCount + index * 28 ** 2
  return { values: Float32Array.from(bytes.subarray(from, from + 28 ** 2), (v) => v / 255), label: bytes[index]! }
}

export function example(name: keyof typeof files): Promise<Subject> {
  const file = files[name]
  const known = opened.get(name) ?? openFiles({ [file]: new Uint8Array(fileOf(file)) })
  opened.set(name, known)
  return known
}

async function model(state: InspectState) {
  // of a file of somebody else there is nothing to see
  if (state.m === 'file' || state.m === 'trained') return { views: [], facts: [], speak: '' }
  const subject = await example(state.m)
  const shown = sample(state.img)
  const row = Math.min(state.row, subject.summary.rows.length - 1)
  const look = await subject.look({ row, off: state.off, norm: state.norm, picture: shown.values })
  return frameOf(subject.summary, look, state, shown)
}

async function give(page: Page, name: string, content: Buffer): Promise<void> {
  await page.getByLabel('Model files').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: content })
}

const problem = (page: Page) => page.locator('.problem').textContent()

export const inspect: PageContract<InspectState> = {
  path: 'inspect',
  schema,
  presets,
  model,
  near: 1e-4,
  gate: 8,
  states: [
    {
      name: 'what the compiler made of it',
      async act(page) {
        await goTo(page, 'off=1')
        await page.getByRole('button', { name: 'What did the compiler make of it?' }).click()
        await page.waitForSelector('.compiled')
        await page.locator('.compiled summary').last().click()
      },
    },
    { name: 'a graph that branches', act: (page) => goTo(page, 'm=branches&row=11') },
    {
      name: 'a damaged file',
      async act(page) {
        await give(page, 'bad.onnx', Buffer.from('not a model'))
        await page.waitForSelector('.problem')
      },
    },
  ],
  journeys: [
    {
      name: 'by keyboard: a deeper layer, a map switched off and on again',
      async run(page) {
        await page.getByRole('button', { name: '2 conv2d' }).focus()
        await page.keyboard.press('Enter')
        await expect.poll(() => page.url()).toContain('row=2')
        await settled(page)
        await page.locator('.view-grid').nth(1).focus()
        await page.keyboard.press('Enter')
        await expect.poll(() => page.url()).toContain('off=0')
        await settled(page)
        expect(await page.textContent('.answer')).toContain('→')
        await page.getByRole('button', { name: 'Switch all on' }).click()
        await expect.poll(() => page.url()).not.toContain('off=')
      },
    },
    {
      name: 'without map 1 the 5 becomes a 6',
      async run(page) {
        await goTo(page, 'off=1')
        expect(await page.textContent('.answer')).toMatch(/class 5: 9\d.*% → .*; now class 6/)
      },
    },
    {
      name: 'a model of the reader; then hostile ones: one message each, and the page goes on',
      async run(page) {
        await give(page, 'own.onnx', Buffer.from(fileOf('inspect/branches.onnx')))
        await page.waitForFunction(() => document.querySelector('.layers')?.textContent?.includes('Concat'))
        await settled(page)
        const onnx = Buffer.from(fileOf('inspect/branches.onnx'))
        const safe = Buffer.from(fileOf('inspect/digits.safetensors'))
        const cases: readonly (readonly [string, Buffer, RegExp])[] = [
          ['empty.onnx', Buffer.alloc(0), /no graph/],
          ['cut.onnx', onnx.subarray(0, 20_000), /loadOnnx/],
          ['noise.onnx', Buffer.from(Array.from({ length: 999 }, (_, i) => (i * 7919) % 251)), /loadOnnx/],
          ['cut.safetensors', safe.subarray(0, 9000), /readSafetensors/],
          ['long.safetensors', Buffer.from([255, 255, 255, 255, 255, 255, 255, 127, 123, 125]), /damaged/],
          ['weights.h5', Buffer.from('\x89HDF'), /can't be read/],
          ['model.json', Buffer.from('{"a": 1}'), /modelTopology/],
          ['broken.json', Buffer.from('{'), /JSON/],
        ]
        for (const [name, content, told] of cases) {
          await give(page, name, content)
          await expect.poll(() => problem(page), { message: name }).toMatch(told)
        }
        await goTo(page, 'row=2')
        expect(await page.locator('canvas[data-view="maps"]').count()).toBe(1)
      },
    },
    {
      name: 'weights without a network: kernels are shown',
      async run(page) {
        await give(page, 'phi.safetensors', Buffer.from(fileOf('history/sparse-16x16.safetensors')))
        await page.waitForFunction(() => document.querySelector('.layers')?.textContent?.includes('256×192'))
        await expect.poll(() => page.textContent('.answer')).toContain('not the network')
      },
    },
  ],
}
