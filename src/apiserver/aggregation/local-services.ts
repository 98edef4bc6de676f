/**
 * APIServices of what this server serves itself: one for each version of each group. Those of built-in groups are
 * brought in order once at the start, so that a change by hand lasts until then; those of custom resources follow their
 * definitions.
 */

import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import { FOREIGN_GROUPS } from '../../api/kinds/foreign-groups.ts'
import { StatusError } from '../../api/machinery/status-error.ts'
import type { Logger } from '../../lib/log.ts'
import { BOOTSTRAP_USER } from '../bootstrap/reconcile.ts'
import type { Registry } from '../registry/registry.ts'
import { API_SERVICES, apiServiceName, OWN_GROUP } from './api-service.ts'
import { builtInPriority, CUSTOM, type Priority } from './priorities.ts'

const MANAGED = 'kube-aggregator.kubernetes.io/automanaged'
const CRDS = 'apiextensions.k8s.io/v1/customresourcedefinitions'

const isForeign = (group = '') => FOREIGN_GROUPS.has(group)

/** Whether another server serves a group in the place of this one: it is left alone, and ours comes back when it goes. */
const isReplaced = ({ spec }: APIService) => Boolean(spec?.service) && isForeign(spec?.group)

interface Wanted {
  readonly group: string
  readonly version: string
  readonly priority: Priority
  /** How it is kept: `onstart` once, `true` always. */
  readonly managed: 'onstart' | 'true'
}

const objectOf = ({ group, version, priority, managed }: Wanted): APIService => ({
  apiVersion: 'apiregistration.k8s.io/v1',
  kind: 'APIService',
  metadata: { name: apiServiceName(group, version), labels: { [MANAGED]: managed } },
  spec: {
    ...(group && { group }),
    version,
    groupPriorityMinimum: priority.group,
    versionPriority: priority.version,
  },
})

const fits = ({ spec, metadata }: APIService, wanted: Wanted) =>
  metadata?.labels?.[MANAGED] === wanted.managed &&
  !spec?.service &&
  spec?.groupPriorityMinimum === wanted.priority.group &&
  spec.versionPriority === wanted.priority.version

/** Which versions of custom groups are served, by the name of their APIService. */
function customVersions(definitions: readonly CustomResourceDefinition[]): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>()
  for (const { spec, status } of definitions) {
    const established = status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
    if (!established) continue
    for (const { name, served } of spec?.versions ?? []) {
      if (!served) continue
      const group = spec.group
      wanted.set(apiServiceName(group, name), { group, version: name, priority: CUSTOM, managed: 'true' })
    }
  }
  return wanted
}

/** Keeps the APIServices; resolves when those of the start are there. Returns nothing: it lasts as long as the registry. */
export async function keepLocalServices(registry: Registry, logger: Logger): Promise<void> {
  const kind = registry.kind(API_SERVICES)
  if (!kind) return
  const services = registry.reader(kind)
  const context = { user: BOOTSTRAP_USER, fieldManager: 'kube-aggregator' }
  const get = (name: string) => services.get('', name)?.value as APIService | undefined

  async function ensure(wanted: Wanted): Promise<void> {
    const name = apiServiceName(wanted.group, wanted.version)
    const current = get(name)
    if (!current) return void (await registry.create(kind!, '', objectOf(wanted), context))
    // Without the label it is somebody's own.
    if (!current.metadata?.labels?.[MANAGED] || fits(current, wanted) || isReplaced(current)) return
    const { spec, metadata } = objectOf(wanted)
    const change = (object: { metadata?: unknown; spec?: unknown }) => {
      const own = object as APIService
      own.spec = spec!
      own.metadata!.labels = { ...own.metadata!.labels, ...metadata!.labels }
    }
    await registry.update(kind!, { namespace: '', name }, change, context)
  }

  /** Deletes what `managed` says is ours and nobody wants any more. */
  async function removeOthers(managed: string, wanted: ReadonlyMap<string, Wanted>): Promise<void> {
    for (const { value } of services.list()) {
      const { name = '', labels } = value.metadata ?? {}
      if (labels?.[MANAGED] === managed && !wanted.has(name) && !isReplaced(value as APIService))
        await registry.delete(kind!, { namespace: '', name }, {}, context)
    }
  }

  const builtIn = new Map<string, Wanted>()
  for (const { group, version } of registry.kinds()) {
    const priority = builtInPriority(group, version)
    if (priority && group !== OWN_GROUP)
      builtIn.set(apiServiceName(group, version), { group, version, priority, managed: 'onstart' })
  }
  await Promise.all([...builtIn.values()].map(ensure))
  await removeOthers('onstart', builtIn)
  const replaceable = [...builtIn.values()].filter(({ group }) => isForeign(group))

  const crds = registry.kind(CRDS)
  if (!crds) return
  const definitions = registry.reader(crds)
  const follow = async () => {
    const wanted = customVersions(definitions.list().map(each => each.value as CustomResourceDefinition))
    for (const each of [...wanted.values(), ...replaceable]) await ensure(each)
    await removeOthers('true', wanted)
  }
  let running: Promise<void> | undefined
  let again = false
  const run = () => {
    again = true
    running ??= (async () => {
      while (again) {
        again = false
        // A conflict is somebody else's change, which brings an event of its own.
        await follow().catch(error => {
          if (!(error instanceof StatusError)) logger.error({ err: error }, 'keeping APIServices failed')
          again ||= error instanceof StatusError && error.reason === 'Conflict'
        })
      }
      running = undefined
    })()
    return running
  }
  definitions.onChange(() => void run())
  services.onChange((previous, current) => {
    if (!previous || current) return
    const { metadata, spec } = previous.value as APIService
    if (metadata?.labels?.[MANAGED] === 'true' || isForeign(spec?.group)) void run()
  })
  await run()
}
