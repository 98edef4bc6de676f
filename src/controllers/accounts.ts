/**
 * The service account in kube-system as which each controller writes, as kube-controller-manager does it with
 * `--use-service-account-credentials`: its rights are those of the role `system:controller:ACCOUNT`, and it is named
 * in the audit log. Controllers that are not here write as the manager itself.
 */
export const CONTROLLER_ACCOUNTS: Readonly<Record<string, string>> = {
  'attachdetach-controller': 'attachdetach-controller',
  'bootstrap-signer-controller': 'bootstrap-signer',
  'certificatesigningrequest-approving-controller': 'certificate-controller',
  'certificatesigningrequest-cleaner-controller': 'certificate-controller',
  'certificatesigningrequest-signing-controller': 'certificate-controller',
  'cronjob-controller': 'cronjob-controller',
  'daemonset-controller': 'daemon-set-controller',
  'deployment-controller': 'deployment-controller',
  'disruption-controller': 'disruption-controller',
  'endpoint-controller': 'endpoint-controller',
  'endpoint-slice-controller': 'endpointslice-controller',
  'endpoint-slice-mirroring-controller': 'endpointslicemirroring-controller',
  ephemeral_volume: 'ephemeral-volume-controller',
  'garbage-collector-controller': 'generic-garbage-collector',
  'horizontal-pod-autoscaler': 'horizontal-pod-autoscaler',
  'job-controller': 'job-controller',
  'legacy-serviceaccount-token-cleaner-controller': 'legacy-service-account-token-cleaner',
  'namespace-controller': 'namespace-controller',
  'node-controller': 'node-controller',
  'node-ipam-controller': 'node-controller',
  'persistentvolume-controller': 'persistent-volume-binder',
  'pod-garbage-collector': 'pod-garbage-collector',
  'pv-protection-controller': 'pv-protection-controller',
  'pvc-protection-controller': 'pvc-protection-controller',
  'replicaset-controller': 'replicaset-controller',
  'replication-controller': 'replication-controller',
  'root-ca-certificate-publisher-controller': 'root-ca-cert-publisher',
  'serviceaccount-controller': 'service-account-controller',
  'service-cidr-controller': 'service-cidrs-controller',
  'statefulset-controller': 'statefulset-controller',
  'taint-eviction-controller': 'node-controller',
  'token-cleaner-controller': 'token-cleaner',
  'ttl-after-finished-controller': 'ttl-after-finished-controller',
  'validatingadmissionpolicy-status-controller': 'validatingadmissionpolicy-status-controller',
  'volumeattributesclass-protection-controller': 'volumeattributesclass-protection-controller',
}

/** The user that an account in kube-system is. */
export const controllerUser = (account: string) => ({
  name: `system:serviceaccount:kube-system:${account}`,
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system', 'system:authenticated'],
})
