/** The shape of an admission plugin. The order of plugins is the one list in `admission/all.ts`. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { UserInfo } from '../auth/auth.ts'

export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  readonly kind: Kind
  readonly subresource: string
  readonly namespace: string
  /** '' on create with generateName. */
  readonly name: string
  /** What is about to be stored; mutating plugins change it in place. Absent on DELETE. */
  readonly object: KubeObject | undefined
  /** What is stored; must not be changed. Absent on CREATE. */
  readonly old: KubeObject | undefined
  readonly user: UserInfo
  readonly dryRun: boolean
  /** CreateOptions, UpdateOptions or DeleteOptions. */
  readonly options: Readonly<Record<string, unknown>>
  warn(text: string): void
}

/** Throws StatusError to refuse. `mutate` runs for all plugins before any `validate`. */
export interface AdmissionPlugin {
  /** As in Kubernetes, e.g. `NamespaceLifecycle`. */
  readonly name: string
  handles(attributes: AdmissionAttributes): boolean
  mutate?(attributes: AdmissionAttributes): void | Promise<void>
  validate?(attributes: AdmissionAttributes): void | Promise<void>
}
