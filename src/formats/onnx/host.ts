import { hostBoxOps } from './boxes.ts'
import { hostLossOps } from './host-losses.ts'
import { hostNumberOps } from './host-numbers.ts'
import { hostSamplingOps } from './host-sampling.ts'
import type { HostOps } from './node.ts'
import { hostPlaceOps } from './places.ts'

/** Operations that are computed beside programs, in float64, wherever they aren't part of one. */
export const hostOps: HostOps = {
  ...hostBoxOps,
  ...hostLossOps,
  ...hostNumberOps,
  ...hostPlaceOps,
  ...hostSamplingOps,
}
