import type { EventTarget } from './event-recorder.ts'

/** What events of a node are about, as the kubelet writes it: the name stands for the uid. */
export const nodeTarget = (name: string): EventTarget => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name, uid: name },
})
