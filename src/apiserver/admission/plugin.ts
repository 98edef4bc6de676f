/** The shape of an admission plugin. The order of plugins is the one list in `admission/all.ts`. */
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import type { UserInfo } from '../authentication/authenticator.ts'

/** What names the type of an object. A `Kind` fits. */
export interface ObjectKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

export interface AdmissionAttributes {
  readonly operation: 'CREATE' | 'UPDATE' | 'DELETE' | 'CONNECT'
  /** The resource that the request names. */
  readonly kind: Kind
  /** The type of `object`: not that of `kind` where a subresource takes one of its own (Scale, Binding, Eviction, …). */
  readonly objectKind: ObjectKind
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
  /**
   * Notes something for the audit event of the request, e.g. `pod-security.kubernetes.io/enforce-policy`. `level`: only
   * where the policy logs at least that much.
   */
  audit(key: string, value: string, level?: 'Request'): void
  /** 0; 1 while `mutate` runs for all plugins once more, because one that others do not know of changed the object. */
  round: number
  /** Set by such a plugin (a webhook, a policy): asks for the second round. */
  changed: boolean
}

type Given = Partial<AdmissionAttributes> & Pick<AdmissionAttributes, 'operation' | 'kind' | 'name' | 'user'>

const ignore = () => {}

/** Attributes of a request, the rest at its defaults. */
export function admissionAttributes(given: Given): AdmissionAttributes {
  return {
    objectKind: given.kind,
    subresource: '',
    namespace: '',
    object: undefined,
    old: undefined,
    dryRun: false,
    options: {},
    warn: ignore,
    audit: ignore,
    round: 0,
    changed: false,
    ...given,
  }
}

/** Throws StatusError to refuse. `mutate` runs for all plugins before any `validate`. */
export interface AdmissionPlugin {
  /** As in Kubernetes, e.g. `NamespaceLifecycle`. */
  readonly name: string
  handles(attributes: AdmissionAttributes): boolean
  mutate?(attributes: AdmissionAttributes): void | Promise<void>
  validate?(attributes: AdmissionAttributes): void | Promise<void>
  /** A write that `validate` of all plugins let through has been made, or has not. */
  settled?(attributes: AdmissionAttributes, made: boolean): void
}
