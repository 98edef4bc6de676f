/** Groups of the Kubernetes community: their definitions must say who approved the API (KEP-1111). */

export const APPROVED = 'api-approved.kubernetes.io'

export const isProtectedGroup = (group: string) => /(^|\.)(k8s|kubernetes)\.io$/.test(group)

export interface Approval {
  readonly state: 'approved' | 'bypassed' | 'missing' | 'invalid'
  /** As the condition KubernetesAPIApprovalPolicyConformant says it. */
  readonly status: 'True' | 'False'
  readonly reason: string
  readonly message: string
}

const MORE = 'see https://github.com/kubernetes/enhancements/pull/1111'

/** What the annotation says. */
export function approvalOf(annotations: Readonly<Record<string, string>> | undefined): Approval {
  const value = annotations?.[APPROVED] ?? ''
  const demand = `protected groups must have approval annotation ${JSON.stringify(APPROVED)}`
  if (value === '') {
    return { state: 'missing', status: 'False', reason: 'MissingAnnotation', message: `${demand}, ${MORE}` }
  }
  if (value.startsWith('unapproved')) {
    const message = `not approved: ${JSON.stringify(value)}`
    return { state: 'bypassed', status: 'False', reason: 'UnapprovedAnnotation', message }
  }
  if (/^[a-zA-Z][a-zA-Z0-9+.-]*:\/\/[^/]/.test(value)) {
    return { state: 'approved', status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${value}` }
  }
  const message = `${demand} with either a URL or a reason starting with "unapproved", ${MORE}`
  return { state: 'invalid', status: 'False', reason: 'InvalidAnnotation', message }
}
