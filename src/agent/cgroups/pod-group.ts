/**
 * Where pods are among control groups, as the kubelet's tree has it: a Guaranteed pod stands at the top, the others in
 * the group of their class, whose shares of the CPU are bounded together (API doc: PodStatus.qosClass).
 */
export const podGroup = (qosClass: string, uid: string): string =>
  qosClass === 'Guaranteed' ? `kubepods/pod${uid}` : `kubepods/${classFolder(qosClass)}/pod${uid}`

const classFolder = (qosClass: string) => (qosClass === 'Burstable' ? 'burstable' : 'besteffort')
