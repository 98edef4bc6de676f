import type { Base } from './base.ts'
import { cluster } from './cluster.ts'
import { core } from './core.ts'
import { infrastructure } from './infrastructure.ts'
import { workloads } from './workloads.ts'

/** Good objects of every kind. */
export const bases: readonly Base[] = [...core, ...workloads, ...infrastructure, ...cluster]
