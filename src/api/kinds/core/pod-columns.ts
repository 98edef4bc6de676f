/**
 * The columns of `kubectl get pods`. STATUS tells the most telling of phase, conditions and container states, in the
 * order of k8s.io/kubernetes `pkg/printers/internalversion` printPod.
 */
import type { ContainerState, ContainerStatus, Pod } from '../../generated/types/core-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { age, ageColumn, nameColumn, text, wide } from '../columns.ts'
import { isFinished } from './finished.ts'
import { isSidecar, lastingContainers } from './pod-containers.ts'

interface Summary {
  ready: number
  total: number
  reason: string
  restarts: number
  /** RFC 3339 time of the last restart; '' if there was none. */
  restartedAt: string
}

const hasCondition = (pod: Pod, type: string) =>
  pod.status?.conditions?.some(condition => condition.type === type && condition.status === 'True') ?? false

/** Why a container ended, in a word. */
function endReason({ terminated }: ContainerState): string {
  if (terminated?.reason) return terminated.reason
  return terminated?.signal ? `Signal:${terminated.signal}` : `ExitCode:${terminated?.exitCode ?? 0}`
}

function countRestarts(summary: Summary, status: ContainerStatus): void {
  summary.restarts += status.restartCount ?? 0
  // RFC 3339 times in UTC sort as text.
  const ended = status.lastState?.terminated?.finishedAt ?? ''
  if (ended > summary.restartedAt) summary.restartedAt = ended
}

/** Folds the init containers in; true while the first that holds the pod up does so. */
function summarizeInit(pod: Pod, summary: Summary, sidecars: Summary): boolean {
  const sidecarNames = new Set(pod.spec?.initContainers?.filter(isSidecar).map(({ name }) => name))
  for (const [index, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const sidecar = sidecarNames.has(status.name)
    const state = status.state ?? {}
    countRestarts(summary, status)
    if (sidecar) countRestarts(sidecars, status)
    if (state.terminated && state.terminated.exitCode === 0) continue
    if (sidecar && status.started) {
      if (status.ready) summary.ready++
      continue
    }
    if (state.terminated) summary.reason = `Init:${endReason(state)}`
    else if (state.waiting?.reason && state.waiting.reason !== 'PodInitializing') {
      summary.reason = `Init:${state.waiting.reason}`
    } else summary.reason = `Init:${index}/${pod.spec?.initContainers?.length ?? 0}`
    return true
  }
  return false
}

function summarizeContainers(pod: Pod, summary: Summary): void {
  let running = false
  let error = ''
  for (const status of (pod.status?.containerStatuses ?? []).toReversed()) {
    const state = status.state ?? {}
    countRestarts(summary, status)
    if (state.waiting?.reason) summary.reason = state.waiting.reason
    else if (state.terminated) {
      summary.reason = endReason(state)
      if (state.terminated.exitCode !== 0) error = summary.reason
    } else if (status.ready && state.running) {
      running = true
      summary.ready++
    }
  }
  if (summary.reason !== 'Completed') return
  if (running && hasCondition(pod, 'Ready')) summary.reason = 'Running'
  else if (error) summary.reason = error
  else if (running) summary.reason = 'NotReady'
}

/** What READY, STATUS and RESTARTS show. */
export function summarizePod(pod: Pod): Summary {
  const { status, metadata } = pod
  const summary: Summary = { ready: 0, total: lastingContainers(pod).length, reason: '', restarts: 0, restartedAt: '' }
  summary.reason = status?.reason || (status?.phase ?? '')
  for (const { type, reason } of status?.conditions ?? []) {
    if (type === 'PodScheduled' && reason === 'SchedulingGated') summary.reason = reason
  }
  const sidecars: Summary = { ...summary }
  const initializing = summarizeInit(pod, summary, sidecars)
  if (!initializing || hasCondition(pod, 'Initialized')) {
    summary.restarts = sidecars.restarts
    summary.restartedAt = sidecars.restartedAt
    summarizeContainers(pod, summary)
  }
  if (metadata?.deletionTimestamp) {
    if (status?.reason === 'NodeLost') summary.reason = 'Unknown'
    else if (!isFinished(pod)) summary.reason = 'Terminating'
  }
  return summary
}

/** The last pod summed up: a row asks for three cells of the same object. */
let lastPod: Pod | undefined
let lastSummary: Summary
const summaryOf = (pod: Pod) => {
  if (pod !== lastPod) {
    lastSummary = summarizePod(pod)
    lastPod = pod
  }
  return lastSummary
}

function restarts(pod: Pod, now: number): string {
  const { restarts, restartedAt } = summaryOf(pod)
  return restarts && restartedAt ? `${restarts} (${age(restartedAt, now)} ago)` : String(restarts)
}

function readinessGates({ spec, status }: Pod): string {
  const gates = spec?.readinessGates ?? []
  if (!gates.length) return '<none>'
  const open = gates.filter(
    gate => status?.conditions?.find(condition => condition.type === gate.conditionType)?.status === 'True',
  )
  return `${open.length}/${gates.length}`
}

export const podColumns: readonly Column<Pod>[] = [
  nameColumn,
  text('Ready', pod => `${summaryOf(pod).ready}/${summaryOf(pod).total}`),
  text('Status', pod => summaryOf(pod).reason),
  text('Restarts', restarts),
  ageColumn,
  wide('IP', pod => pod.status?.podIPs?.[0]?.ip || '<none>'),
  wide('Node', pod => pod.spec?.nodeName || '<none>'),
  wide('Nominated Node', pod => pod.status?.nominatedNodeName || '<none>'),
  wide('Readiness Gates', readinessGates),
]
