/**
 * The steps of a write between the client's object and the stored bytes, without I/O other than admission:
 * structure, defaults, managed fields, admission, preparation, validation.
 */
import type { Encoded } from '../../api/machinery/encoded.ts'
import type { FieldError } from '../../api/machinery/field-error.ts'
import type { Kind, RuleContext } from '../../api/machinery/kind.ts'
import { validateObjectMeta, validateObjectMetaUpdate } from '../../api/machinery/names.ts'
import type { KubeObject, ObjectMeta } from '../../api/machinery/object.ts'
import { compileSchema, fillZeros, madeZero } from '../../api/machinery/schema-node.ts'
import { conflict, forbidden, invalid, MODIFIED, unclassified } from '../../api/machinery/status-error.ts'
import { dropEmpties } from '../../api/machinery/structural.ts'
import { type AdmissionAttributes, admissionAttributes } from '../admission/plugin.ts'
import type { AdmissionChain } from './admission-chain.ts'
import { trackFields } from './managed-fields.ts'
import { initMetadata, keepMetadata, settleNamespace, specDiffers, wipeMetadata } from './metadata.ts'
import type { KindHooks, ObjectRef, WriteContext } from './registry.ts'
import { checkStructure } from './structure.ts'
import {
  allowsUnconditionalUpdate,
  isNamedByServer,
  judgesMetadataLast,
  keepsMetadataOnStatus,
  takesAnyFinalizer,
} from './traits.ts'

export interface PrepareDeps {
  readonly admission: AdmissionChain
  readonly hooks: (kind: Kind) => KindHooks | undefined
  readonly now: () => number
  readonly uuid: () => string
  /** Labels of a namespace, for rules that depend on them. */
  readonly labelsOf?: RuleContext['labelsOf']
}

const ruleContext = ({ now, labelsOf }: PrepareDeps, { subresource = '', warn }: WriteContext): RuleContext => ({
  subresource,
  now: now(),
  ...(labelsOf && { labelsOf }),
  ...(warn && { warn }),
})

type Spec = Record<string, unknown>

function attributesOf(
  operation: AdmissionAttributes['operation'],
  kind: Kind,
  ref: ObjectRef,
  object: KubeObject | undefined,
  old: KubeObject | undefined,
  context: WriteContext,
): AdmissionAttributes {
  const { admittedAs: as } = context
  return admissionAttributes({
    operation,
    kind,
    objectKind: as?.kind ?? kind,
    subresource: context.subresource ?? '',
    namespace: ref.namespace,
    name: ref.name,
    object: as && object ? as.show(object) : object,
    old: as && old ? as.show(old) : old,
    user: context.user,
    dryRun: context.dryRun ?? false,
    ...(context.options && { options: context.options }),
    ...(context.warn && { warn: context.warn }),
    ...(context.audit && { audit: context.audit }),
  })
}

function runRules(kind: Kind, next: KubeObject, old: KubeObject | undefined, rules: RuleContext): FieldError[] {
  const errors: FieldError[] = []
  for (const rule of kind.rules ?? []) errors.push(...rule(next, old, rules))
  return errors
}

const metadataRules = (kind: Kind) => ({
  namespaced: kind.namespaced,
  nameFormat: kind.nameFormat,
  anyFinalizer: takesAnyFinalizer(kind),
})

/** Objects that several groups show are judged in the name of the one that keeps them. */
export function judgedAs({ kind, group, storage }: Kind): { kind: string; group: string } {
  return { kind, group: storage ? storage.kind.split('/').slice(0, -2).join('/') : group }
}

function refuse(kind: Kind, object: KubeObject, errors: readonly FieldError[]) {
  if (errors.length) throw invalid(judgedAs(kind), object.metadata?.name ?? '', errors)
}

function warnings(kind: Kind, object: KubeObject, old: KubeObject | undefined, context: WriteContext) {
  const { subresource = '' } = context
  if (!context.warn) return
  // Of the other subresources, upstream's strategies warn of nothing.
  const isWhole = subresource === '' || subresource === 'scale'
  const found = isWhole ? kind.warnings?.(object, old) : subresource === 'status' ? kind.statusWarnings?.(object) : []
  for (const text of found ?? []) context.warn(text)
}

/** apiVersion, kind and metadata first, as the store wants them. */
function withIdentity(kind: Kind, object: KubeObject): KubeObject & { metadata: ObjectMeta } {
  object.apiVersion = kind.apiVersion
  object.kind = kind.kind
  object.metadata ??= {}
  return object as KubeObject & { metadata: ObjectMeta }
}

/** Puts the status as it is in an object that nobody has seen yet. */
function resetStatus(kind: Kind, object: KubeObject) {
  if (!kind.status) return
  const node = compileSchema(kind.schema)
  const zero = node.zeros.find(([key]) => key === 'status')
  if (zero) (object as Spec).status = madeZero(node.fields.get('status')!, zero[1])
  else delete (object as Spec).status
}

/** Rules that are heavy, or a custom kind's own, are loaded with the first write. */
async function loadRules(kind: Kind): Promise<void> {
  if (kind.load) await kind.load()
  if (kind.custom) await kind.custom.load()
}

/** A new object before its name is made. */
export interface PreparedCreate {
  readonly next: KubeObject & { metadata: ObjectMeta }
  /** It has empty lists and maps, which are for rules to see, and not to be kept. */
  readonly empties: boolean
}

/** Everything that changes a new object before its name is made. Changes `object` in place. */
export async function prepareCreate(
  deps: PrepareDeps,
  kind: Kind,
  namespace: string,
  object: KubeObject,
  context: WriteContext,
): Promise<PreparedCreate> {
  await loadRules(kind)
  const next = withIdentity(kind, object)
  const empties = checkStructure(kind, next, context)
  settleNamespace(kind, next.metadata, namespace)
  empties.restore()
  kind.defaults?.(next, deps.now())
  empties.hide()
  const now = deps.now()
  wipeMetadata(next.metadata)
  if (!kind.statusOnCreate) resetStatus(kind, next)
  // Here: what admission, allocators and preparation add belongs to nobody.
  trackFields(kind, next, undefined, context, now)
  empties.drop()
  const ref = { namespace: kind.namespaced ? namespace : '', name: next.metadata.name ?? '' }
  if (kind.custom?.terminating) {
    throw forbidden(kind, ref.name, 'create not allowed while custom resource definition is terminating')
  }
  if (!context.admitted) {
    const attributes = attributesOf('CREATE', kind, ref, next, undefined, context)
    await deps.admission.mutate(attributes)
    if (attributes.changed) {
      settleNamespace(kind, withIdentity(kind, next).metadata, namespace)
      if (!kind.statusOnCreate) resetStatus(kind, next)
    }
  }
  initMetadata(kind, next.metadata, deps.uuid(), now)
  empties.restore()
  if (isNamedByServer(kind) && !next.metadata.generateName) next.metadata.name ||= deps.uuid()
  kind.prepareCreate?.(next)
  kind.defaults?.(next, deps.now())
  if (kind.prepareCreate && kind.status && !kind.custom) {
    const { status } = next as { status?: unknown }
    fillZeros(compileSchema(kind.schema).fields.get('status')!, status)
  }
  return { next, empties: empties.any }
}

/** Checks a new object that has its name. Gives what admission let through, whom to tell what becomes of it. */
export async function finishCreate(
  deps: PrepareDeps,
  kind: Kind,
  object: KubeObject,
  empties: boolean,
  context: WriteContext,
): Promise<AdmissionAttributes | undefined> {
  kind.named?.(object)
  const meta = object.metadata!
  const rules = ruleContext(deps, context)
  const errors = runRules(kind, object, undefined, rules)
  if (judgesMetadataLast(kind)) refuse(kind, object, errors)
  refuse(kind, object, [...validateObjectMeta(meta, metadataRules(kind)), ...errors])
  if (empties) dropEmpties(object, compileSchema(kind.schema))
  // What is kept is read with its defaults.
  if (empties || kind.named) kind.defaults?.(object, deps.now())
  const ref = { namespace: meta.namespace ?? '', name: meta.name ?? '' }
  const attributes = context.admitted ? undefined : attributesOf('CREATE', kind, ref, object, undefined, context)
  if (attributes) await deps.admission.validate(attributes)
  warnings(kind, object, undefined, context)
  return attributes
}

/** Checks the resourceVersion and uid that the client saw against what is stored. */
function checkPreconditions(kind: Kind, meta: ObjectMeta, old: Encoded, context: WriteContext) {
  const stored = old.value.metadata!
  const name = stored.name ?? ''
  // Only a whole object says what it replaces.
  if (meta.uid && meta.uid !== stored.uid && context.options?.kind !== 'PatchOptions') {
    throw conflict(
      kind,
      name,
      `Precondition failed: UID in precondition: ${meta.uid}, UID in object meta: ${stored.uid ?? ''}`,
    )
  }
  if (!meta.resourceVersion || meta.resourceVersion === '0') {
    if (allowsUnconditionalUpdate(kind)) return
    throw invalid({ group: kind.group, kind: kind.plural }, name, [
      {
        reason: 'FieldValueInvalid',
        field: 'metadata.resourceVersion',
        message: 'Invalid value: 0: must be specified for an update',
      },
    ])
  }
  if (!/^\d+$/.test(meta.resourceVersion)) {
    throw unclassified(`strconv.ParseUint: parsing ${JSON.stringify(meta.resourceVersion)}: invalid syntax`)
  }
  if (meta.resourceVersion !== stored.resourceVersion) {
    throw conflict(kind, name, MODIFIED)
  }
}

/** The status endpoint of a custom kind takes no metadata but who owns what. */
function keepAllMetadata(next: KubeObject, old: KubeObject) {
  const { managedFields, resourceVersion } = next.metadata ?? {}
  next.metadata = { ...old.metadata, ...(resourceVersion && { resourceVersion }) }
  if (managedFields) next.metadata.managedFields = managedFields
}

/** The main endpoint leaves status alone, and the status endpoint everything but status and metadata. */
function settleSubresource(kind: Kind, next: KubeObject, old: KubeObject, subresource: string) {
  if (!kind.status) return
  const from = old as Spec
  const to = next as Spec
  if (subresource === '') {
    if (from.status === undefined) delete to.status
    else to.status = from.status
  } else if (subresource === 'status') {
    if (kind.custom || keepsMetadataOnStatus(kind)) keepAllMetadata(next, old)
    for (const key of new Set([...Object.keys(to), ...Object.keys(from)])) {
      if (key === 'status' || key === 'metadata' || key === 'kind' || key === 'apiVersion') continue
      if (from[key] === undefined) delete to[key]
      else to[key] = from[key]
    }
  }
}

/** An object that may be written over the stored one, and what admission let through. */
export interface PreparedUpdate {
  readonly next: KubeObject
  readonly attributes: AdmissionAttributes | undefined
}

/** Everything between a client's changed object and the one to store. Changes `object` in place. */
export async function prepareUpdate(
  deps: PrepareDeps,
  kind: Kind,
  object: KubeObject,
  stored: Encoded,
  context: WriteContext,
): Promise<PreparedUpdate> {
  await loadRules(kind)
  const old = stored.value
  const next = withIdentity(kind, object)
  const subresource = context.subresource ?? ''
  const rules = ruleContext(deps, context)
  settleNamespace(kind, next.metadata, old.metadata?.namespace ?? '')
  checkPreconditions(kind, next.metadata, stored, context)
  const empties = checkStructure(kind, next, context)
  empties.restore()
  kind.defaults?.(next, deps.now())
  empties.hide()
  settleSubresource(kind, next, old, subresource)
  keepMetadata(next.metadata, old.metadata!)
  trackFields(kind, next, old, context, rules.now)
  empties.drop()
  kind.prepareUpdate?.(next, old, rules)
  const attributes = context.admitted ? undefined : await mutateUpdate(deps, kind, next, old, context)
  if (attributes?.changed) {
    settleNamespace(kind, withIdentity(kind, next).metadata, old.metadata?.namespace ?? '')
    settleSubresource(kind, next, old, subresource)
    next.metadata.uid = old.metadata!.uid!
    keepMetadata(next.metadata, old.metadata!)
    kind.prepareUpdate?.(next, old, rules)
  }
  const hooks = deps.hooks(kind)
  await hooks?.beforeUpdate?.(next, old, context)
  try {
    await finishUpdate(deps, kind, next, old, empties, context, attributes)
  } catch (error) {
    hooks?.onFailure?.(next, old)
    throw error
  }
  return { next, attributes }
}

/** What follows once everything is filled in: rules, and admission's judgement. */
async function finishUpdate(
  deps: PrepareDeps,
  kind: Kind,
  next: KubeObject & { metadata: ObjectMeta },
  old: KubeObject,
  empties: ReturnType<typeof checkStructure>,
  context: WriteContext,
  attributes: AdmissionAttributes | undefined,
): Promise<void> {
  const rules = ruleContext(deps, context)
  const subresource = context.subresource ?? ''
  // Giving a pod its node is no change of what people want.
  const counts = kind.generation === true && subresource !== 'binding'
  if (counts && specDiffers(kind, next, old)) next.metadata.generation = (old.metadata?.generation ?? 0) + 1
  empties.restore()
  refuse(kind, next, [
    ...validateObjectMetaUpdate(next.metadata, old.metadata, 'metadata', takesAnyFinalizer(kind)),
    ...runRules(kind, next, old, rules),
  ])
  empties.drop()
  if (empties.any) kind.defaults?.(next, deps.now())
  if (attributes) await deps.admission.validate(attributes)
  warnings(kind, next, old, context)
}

async function mutateUpdate(
  deps: PrepareDeps,
  kind: Kind,
  next: KubeObject,
  old: KubeObject,
  context: WriteContext,
): Promise<AdmissionAttributes> {
  const ref = { namespace: old.metadata?.namespace ?? '', name: old.metadata?.name ?? '' }
  const attributes = attributesOf('UPDATE', kind, ref, next, old, context)
  await deps.admission.mutate(attributes)
  if (attributes.changed) context.admittedAs?.put(attributes.object!, next)
  return attributes
}

/** Asks admission about a delete. */
export async function admitDelete(
  deps: PrepareDeps,
  kind: Kind,
  ref: ObjectRef,
  old: KubeObject,
  context: WriteContext,
) {
  if (context.admitted) return
  const attributes = attributesOf('DELETE', kind, ref, undefined, old, context)
  await deps.admission.mutate(attributes)
  await deps.admission.validate(attributes)
}
