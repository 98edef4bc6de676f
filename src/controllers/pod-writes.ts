/** Making and deleting pods for the object that owns them, and telling of it in the words of Kubernetes' controllers. */
import { Pod } from '../api/kinds/core/pod.ts'
import type { KubeObject } from '../api/machinery/object.ts'
import type { Note, Write } from '../control/plan.ts'

const told = (target: KubeObject, type: Note['type'], reason: string, message: string): Note => ({
  target,
  type,
  reason,
  message,
})

/** Makes a pod. */
export const podCreation = (owner: KubeObject, pod: Pod): Write => ({
  type: 'create',
  resource: Pod,
  object: pod,
  done: created => told(owner, 'Normal', 'SuccessfulCreate', `Created pod: ${created.metadata?.name}`),
  failed: error => told(owner, 'Warning', 'FailedCreate', `Error creating: ${error.message}`),
})

/** Deletes a pod. */
export const podDeletion = (owner: KubeObject, pod: Pod): Write => ({
  type: 'delete',
  resource: Pod,
  object: pod,
  done: () => told(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata?.name}`),
  failed: error => told(owner, 'Warning', 'FailedDelete', `Error deleting: ${error.message}`),
})
