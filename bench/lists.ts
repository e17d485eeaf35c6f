import { readFileSync } from 'node:fs'
import { type Contraction, type ConvSpec, parseLayer } from '../src/conv/index.ts'

/** One line of a list: what is computed, as text and as a spec. */
export interface Work {
  readonly text: string
  readonly operation: Contraction
  readonly spec: ConvSpec
}

export interface List {
  readonly name: string
  readonly works: readonly Work[]
}

/** Reads a list of layers, one a line; empty lines and those that begin with # are left out. */
export function parseList(content: string): Work[] {
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line && !line.startsWith('#'))
    .map((text) => ({ text, ...parseLayer(text) }))
}

export const listNames = [
  'prototype',
  'resnet50',
  'mobilenetv2',
  'vgg16',
  'xception',
  'lenet5',
  'deeplab',
  'transposed',
  'audio1d',
  'conv3d',
] as const

/** `folder` ends with a slash. */
export const readList = (folder: string, name: string): List => ({
  name,
  works: parseList(readFileSync(`${folder}${name}.txt`, 'utf8')),
})
