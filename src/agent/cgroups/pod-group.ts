/**
 * Where pods are among control groups, as the kubelet's tree has it: a Guaranteed pod stands at the top, the others in
 * the group of their class, whose shares of the CPU are bounded together (API doc: PodStatus.qosClass).
 */
export const podGroup = (qosClass: string, uid: string): string =>
  qosClass === 'Guaranteed' ? `${PODS_GROUP}/pod${uid}` : `${PODS_GROUP}/${classFolder(qosClass)}/pod${uid}`

/** Of all pods of a node. */
export const PODS_GROUP = 'kubepods'

/** The groups of classes, and what shares of the CPU they have together: undefined, those of their pods. */
export const CLASS_GROUPS: readonly (readonly [path: string, shares: number | undefined])[] = [
  [`${PODS_GROUP}/burstable`, undefined],
  [`${PODS_GROUP}/besteffort`, 2],
]

const classFolder = (qosClass: string) => (qosClass === 'Burstable' ? 'burstable' : 'besteffort')
