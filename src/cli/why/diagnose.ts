/** From facts to causes. Pure; every cause names what to do next. */
import type { Deployment } from '../../api/kinds/apps/deployment.ts'
import type { Pod } from '../../api/kinds/core/pod.ts'
import { isReady } from '../../api/kinds/core/ready.ts'
import type { Service } from '../../api/kinds/core/service.ts'
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { Facts } from './facts.ts'
import { ingressFindings } from './ingress.ts'

export interface Finding {
  /** `pod/web-1`. */
  readonly about: string
  readonly cause: string
  /** Commands to type. */
  readonly next: readonly string[]
}

type ContainerStatus = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]

const conditionOf = (pod: Pod, type: string) => pod.status?.conditions?.find(condition => condition.type === type)

/** What a waiting or ended container says of itself. */
function containerFinding(pod: Pod, status: ContainerStatus, { namespace, eventsOf }: Facts): Finding | undefined {
  const name = pod.metadata?.name
  const about = `pod/${name}, container ${status.name}`
  const logs = `tutti logs ${name} -n ${namespace} -c ${status.name}`
  const { waiting, terminated, running } = status.state ?? {}
  const last = status.lastState?.terminated
  if (waiting?.reason === 'CrashLoopBackOff' && last?.reason === 'StartError')
    return {
      about,
      cause: `it cannot be started: ${last.message ?? 'no reason is known'}. ${waiting.message ?? ''}`.trim(),
      next: [`kubectl describe pod ${name} -n ${namespace}`],
    }
  if (waiting?.reason === 'CrashLoopBackOff')
    return {
      about,
      cause:
        `it ends again and again (${status.restartCount} restarts), last with exit code ${last?.exitCode ?? '?'}${last?.reason ? ` (${last.reason})` : ''}. ${waiting.message ?? ''}`.trim(),
      next: [`${logs} --previous`],
    }
  if (waiting?.reason === 'CreateContainerConfigError')
    return {
      about,
      cause: `its configuration is missing: ${waiting.message ?? waiting.reason}`,
      next: [`tutti get configmaps,secrets -n ${namespace}`],
    }
  if (waiting && waiting.reason !== 'PodInitializing' && waiting.reason !== 'ContainerCreating')
    return {
      about,
      cause: `${waiting.reason}${waiting.message ? `: ${waiting.message}` : ''}`,
      next: [`kubectl describe pod ${name} -n ${namespace}`],
    }
  if (terminated && terminated.exitCode !== 0)
    return {
      about,
      cause: `it ended with exit code ${terminated.exitCode}${terminated.reason ? ` (${terminated.reason})` : ''}`,
      next: [logs],
    }
  if (running && !status.ready) {
    const unhealthy = eventsOf(pod).find(event => event.reason === 'Unhealthy')
    return {
      about,
      cause: unhealthy?.message
        ? `it runs, but its probe fails: ${unhealthy.message}`
        : 'it runs, but is not ready yet',
      next: [logs],
    }
  }
  return undefined
}

/** Why one pod is not ready. */
function podFindings(pod: Pod, facts: Facts): Finding[] {
  if (isReady(pod) || pod.status?.phase === 'Succeeded') return []
  const about = `pod/${pod.metadata?.name}`
  const describe = `kubectl describe pod ${pod.metadata?.name} -n ${facts.namespace}`
  if (pod.metadata?.deletionTimestamp)
    return [
      {
        about,
        cause: `it is being deleted, with ${pod.metadata.deletionGracePeriodSeconds ?? 0} s of grace${pod.metadata.finalizers?.length ? `; finalizers hold it: ${pod.metadata.finalizers.join(', ')}` : ''}`,
        next: [describe],
      },
    ]
  const scheduled = conditionOf(pod, 'PodScheduled')
  if (!pod.spec?.nodeName) {
    const said = scheduled?.message ?? facts.eventsOf(pod).find(event => event.reason === 'FailedScheduling')?.message
    return [
      {
        about,
        cause: said ? `no node takes it: ${said}` : 'it waits for the scheduler',
        next: ['tutti get nodes -o wide', describe],
      },
    ]
  }
  const statuses = [...(pod.status?.initContainerStatuses ?? []), ...(pod.status?.containerStatuses ?? [])]
  const found = statuses.map(status => containerFinding(pod, status, facts)).filter(finding => finding !== undefined)
  if (found.length > 0) return found
  const warning = facts.eventsOf(pod).find(event => event.type === 'Warning')
  const initializing = pod.status?.initContainerStatuses?.find(status => !status.ready && status.state?.running)
  if (initializing)
    return [
      {
        about,
        cause: `its init container ${initializing.name} is still running`,
        next: [`tutti logs ${pod.metadata?.name} -n ${facts.namespace} -c ${initializing.name} -f`],
      },
    ]
  return [
    {
      about,
      cause: warning?.message
        ? `${warning.reason}: ${warning.message}`
        : (pod.status?.message ?? `it is ${pod.status?.phase ?? 'new'} and being started`),
      next: [describe],
    },
  ]
}

const hasOldVersion = ({ status }: Deployment) => (status?.replicas ?? 0) > (status?.updatedReplicas ?? 0)

function deploymentFindings(deployment: Deployment, facts: Facts): Finding[] {
  const about = facts.target
  const findings: Finding[] = []
  const wanted = deployment.spec?.replicas ?? 1
  for (const condition of deployment.status?.conditions ?? []) {
    if (condition.type === 'ReplicaFailure' && condition.status === 'True')
      findings.push({
        about,
        cause: `its pods cannot be created: ${condition.message}`,
        next: [`kubectl describe ${facts.target} -n ${facts.namespace}`],
      })
    if (condition.reason === 'ProgressDeadlineExceeded')
      findings.push({
        about,
        ...(hasOldVersion(deployment)
          ? {
              cause: 'the new version does not become ready; the old one goes on serving',
              next: [`tutti rollout undo ${facts.target} -n ${facts.namespace}`],
            }
          : {
              cause: `it does not become ready: ${condition.message}`,
              next: [`kubectl describe ${facts.target} -n ${facts.namespace}`],
            }),
      })
  }
  if (deployment.spec?.paused)
    findings.push({
      about,
      cause: 'its rollout is paused',
      next: [`tutti rollout resume ${facts.target} -n ${facts.namespace}`],
    })
  if (wanted > 0 && facts.pods.length === 0 && findings.length === 0)
    findings.push({
      about,
      cause: `it wants ${wanted} pods and has none yet`,
      next: [`kubectl describe ${facts.target} -n ${facts.namespace}`],
    })
  return findings
}

function serviceFindings(service: Service, facts: Facts): Finding[] {
  const about = facts.target
  if (!service.spec?.selector) return []
  const labels = Object.entries(service.spec.selector).map(pair => pair.join('='))
  if (facts.pods.length === 0)
    return [
      {
        about,
        cause: `no pod has the labels ${labels.join(',')}`,
        next: [`tutti get pods -n ${facts.namespace} -l ${labels.join(',')}`],
      },
    ]
  if (!facts.pods.some(isReady)) return [{ about, cause: `none of its ${facts.pods.length} pods is ready`, next: [] }]
  const names = new Set(
    facts.pods.flatMap(
      pod => pod.spec?.containers?.flatMap(container => (container.ports ?? []).map(port => port.name)) ?? [],
    ),
  )
  return (service.spec.ports ?? [])
    .filter(port => typeof port.targetPort === 'string' && !names.has(port.targetPort))
    .map(port => ({
      about,
      cause: `its port ${port.port} goes to a port named "${port.targetPort}", which no pod declares`,
      next: [`tutti get svc ${service.metadata?.name} -n ${facts.namespace} -o yaml`],
    }))
}

/** All that stands in the way, the object itself first. Empty when it is ready. */
export function diagnose(facts: Facts): Finding[] {
  const { object } = facts
  const own =
    object.kind === 'Deployment'
      ? deploymentFindings(object as Deployment, facts)
      : object.kind === 'Service'
        ? serviceFindings(object as Service, facts)
        : facts.ingress
          ? ingressFindings(object as Ingress, facts.ingress, facts.target, facts.namespace)
          : []
  const all = [...own, ...facts.pods.flatMap(pod => podFindings(pod, facts))]
  // A service is ready when one pod is; pods that are merely starting do not matter to it.
  return object.kind === 'Service' && own.length === 0 && facts.pods.some(isReady) ? [] : all
}
