import { fail } from '../base/errors.ts'
import { findData } from './archive.ts'
import type { Dataset, Split } from './dataset.ts'
import { inflate } from './inflate.ts'

const edge = 32
const size = edge ** 3
const classes = ['bathtub', 'bed', 'chair', 'desk', 'dresser', 'monitor', 'night_stand', 'sofa', 'table', 'toilet']
/** No file of shapes may decompress to more. */
const mostBytes = 2 ** 28

/**
 * Shapes of 32x32x32 bits as samples `[32, 32, 32, 1]` of 0 and 1.
 * @param bits 4,096 bytes a shape: order x, y, z, the highest bit first
 */
export function voxelDataset(bits: Uint8Array, labels: Uint8Array, names: readonly string[] = classes): Dataset {
  if (bits.length !== (labels.length * size) / 8)
    fail('voxelDataset', `${bits.length} bytes for ${labels.length} shapes of ${size / 8}`, 'Give the labels to them')
  const odd = labels.find((label) => label >= names.length)
  if (odd !== undefined) fail('voxelDataset', `label ${odd} of ${names.length} classes`, 'Name more classes')
  return {
    length: labels.length,
    shape: [edge, edge, edge, 1],
    classes: names,
    labels,
    batch(indices) {
      const x = new Float32Array(indices.length * size)
      for (let n = 0; n < indices.length; n++) {
        const shape = bits.subarray((indices[n]! * size) / 8, ((indices[n]! + 1) * size) / 8)
        shape.forEach((byte, i) => {
          for (let bit = 0; bit < 8; bit++) x[n * size + i * 8 + bit] = (byte >> (7 - bit)) & 1
        })
      }
      return { x, y: Float32Array.from(indices, (index) => labels[index]!) }
    },
  }
}

/**
 * ModelNet10 (Wu et al., "3D ShapeNets", 2015) as voxels: 3,991 shapes of ten kinds of furniture to train, 908 to test.
 * From `path`, else from `modelnet10` in the folder that `FOVEA_DATA` names: `train.vox.gz`, `train.lab` (a byte a
 * shape) and the same for `test`. Node only.
 */
export async function modelnet10({ path }: { readonly path?: string } = {}): Promise<Split> {
  const folder = await findData(
    'modelnet10',
    path,
    ['modelnet10'],
    'Give {path}: voxels of https://modelnet.cs.princeton.edu',
  )
  const { readFile } = await import('node:fs/promises')
  const part = async (name: string) => {
    const packed = await readFile(`${folder}/${name}.vox.gz`)
    const bits = await inflate('modelnet10', `${name}.vox.gz`, packed, 'gzip', mostBytes)
    return voxelDataset(bits, await readFile(`${folder}/${name}.lab`))
  }
  return { train: await part('train'), test: await part('test') }
}
