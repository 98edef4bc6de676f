/** The columns of `kubectl get nodes`. */
import type { Node } from '../../generated/types/core-v1.ts'
import type { Column } from '../../machinery/kind.ts'
import { ageColumn, nameColumn, text, wide } from '../columns.ts'

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function status({ spec, status }: Node): string {
  const ready = status?.conditions?.find(({ type }) => type === 'Ready')
  const word = ready ? (ready.status === 'True' ? 'Ready' : 'NotReady') : 'Unknown'
  return spec?.unschedulable ? `${word},SchedulingDisabled` : word
}

/** From the labels `node-role.kubernetes.io/<role>` and `kubernetes.io/role=<role>`. */
function roles({ metadata }: Node): string {
  const found = new Set<string>()
  for (const [key, value] of Object.entries(metadata?.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length) found.add(key.slice(ROLE_PREFIX.length))
    else if (key === 'kubernetes.io/role' && value) found.add(value)
  }
  return [...found].sort().join(',') || '<none>'
}

const address = (node: Node, type: string) =>
  node.status?.addresses?.find(one => one.type === type)?.address ?? '<none>'

function kernel({ status }: Node): string {
  const { kernelVersion, architecture } = status?.nodeInfo ?? {}
  return `${kernelVersion || '<unknown>'}${architecture ? ` (${architecture})` : ''}`
}

export const nodeColumns: readonly Column<Node>[] = [
  nameColumn,
  text('Status', status),
  text('Roles', roles),
  ageColumn,
  text('Version', node => node.status?.nodeInfo?.kubeletVersion ?? ''),
  wide('Internal-IP', node => address(node, 'InternalIP')),
  wide('External-IP', node => address(node, 'ExternalIP')),
  wide('OS-Image', node => node.status?.nodeInfo?.osImage || '<unknown>'),
  wide('Kernel-Version', kernel),
  wide('Container-Runtime', node => node.status?.nodeInfo?.containerRuntimeVersion || '<unknown>'),
]
