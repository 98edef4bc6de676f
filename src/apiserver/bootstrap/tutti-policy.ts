/** What this program's own parts need beyond the policy of Kubernetes. */
import { NODE_TRAFFIC } from '../../client/node-traffic.ts'
import { clusterRoles } from './policy.generated.ts'
import type { BindingSource, RoleSource } from './policy-source.ts'

/** The rules of all of Kubernetes' controllers: here they run as one user. */
const controllerRules = (): string[] => [
  ...new Set(
    Object.entries(clusterRoles)
      .filter(([name]) => name.startsWith('system:controller:'))
      .flatMap(([, role]) => role.rules ?? []),
  ),
]

/** Cluster roles by name. */
export const tuttiClusterRoles: Readonly<Record<string, RoleSource>> = {
  // The service proxy of a node: Kubernetes leaves the binding to who installs kube-proxy.
  'tutti:node-network': {
    rules: [
      'get,list,watch core services,endpoints,namespaces,nodes,pods',
      'get,list,watch discovery.k8s.io endpointslices',
      'get,list,watch networking.k8s.io networkpolicies,servicecidrs',
      'patch,update core services/status',
      'create,patch,update core,events.k8s.io events',
    ],
  },
  'tutti:controllers': { rules: controllerRules() },
  // Where our controllers write by another verb than Kubernetes' own.
  'tutti:deployment-controller': { rules: ['patch apps deployments,deployments/status'] },
  'tutti:pod-garbage-collector': { rules: ['update core pods/status'] },
  // A pod goes to a node that has the handler of its class.
  'tutti:scheduler': { rules: ['get,list,watch node.k8s.io runtimeclasses'] },
  // Folders of nodes as volumes: what it asks of a node is neither exec nor logs, which other verbs allow.
  'tutti:local-path-provisioner': {
    rules: [
      'get,list,watch core nodes',
      'update,delete core nodes/proxy',
      'get,list,watch,patch core persistentvolumeclaims',
      'patch core persistentvolumeclaims/status',
      'get,list,watch,create,delete,patch core persistentvolumes',
      'get,list,watch,create storage.k8s.io storageclasses',
      'create,patch,update core events',
    ],
  },
  // The traffic of a node on another machine, under an account of its own beside the node's.
  'tutti:node-traffic': {
    rules: [
      'get,list,watch core services,endpoints,namespaces,nodes',
      // Policies let pods in by their labels, whichever node they are on.
      'list,watch core pods',
      'get,list,watch discovery.k8s.io endpointslices',
      'get,list,watch networking.k8s.io networkpolicies,servicecidrs',
      // Every node serves Ingresses; the secrets that these name are allowed one by one (authorization/ingress-secrets.ts).
      'get,list,watch networking.k8s.io ingresses,ingressclasses',
      'create,patch,update core events',
    ],
  },
  // Who joins looks whether its name is free.
  'tutti:node-names': { rules: ['get core nodes'] },
  // Serving certificates are given for addresses that are the node's and nobody else's.
  'tutti:certificate-controller': {
    rules: [
      'list core nodes',
      'approve certificates.k8s.io signers kubernetes.io/kubelet-serving,kubernetes.io/kube-apiserver-client',
    ],
  },
  // The secrets that Ingresses name are allowed one by one (authorization/ingress-secrets.ts).
  'tutti:ingress-controller': {
    rules: [
      'get,list,watch core nodes',
      'get,list,watch networking.k8s.io ingresses',
      'get,list,watch,create networking.k8s.io ingressclasses',
      'patch networking.k8s.io ingresses/status',
      'create,patch,update core events',
    ],
  },
  // Who may see pods may see what they use. metrics-server brings a role of its own, which goes with it.
  'tutti:metrics-reader': {
    aggregateTo: 'view',
    rules: ['get,list,watch metrics.k8s.io pods,nodes'],
  },
  // Names for services and pods.
  'tutti:dns': {
    rules: [
      'get,list,watch core services,endpoints,namespaces,pods,nodes',
      'get,list,watch discovery.k8s.io endpointslices',
    ],
  },
}

const REQUESTS = 'system:certificates.k8s.io:certificatesigningrequests'
const JOINING = 'group:system:bootstrappers:tutti:default-node-token'

/** Cluster role bindings by name. */
export const tuttiClusterRoleBindings: Readonly<Record<string, BindingSource>> = {
  'tutti:node-network': { subjects: ['user:system:kube-proxy', 'account:kube-system/kube-proxy'] },
  'tutti:controllers': { subjects: ['user:system:kube-controller-manager'] },
  'tutti:deployment-controller': { subjects: ['account:kube-system/deployment-controller'] },
  'tutti:pod-garbage-collector': { subjects: ['account:kube-system/pod-garbage-collector'] },
  'tutti:scheduler': { subjects: ['user:system:kube-scheduler'] },
  'tutti:local-path-provisioner': { subjects: ['account:kube-system/local-path-provisioner'] },
  'tutti:ingress-controller': { subjects: ['account:kube-system/ingress-controller'] },
  'tutti:dns': { subjects: ['account:kube-system/coredns', 'account:kube-system/kube-dns'] },
  // A node renews its own certificate; one that joins with a token of this group gets its first.
  'tutti:node-certificate-rotation': { role: `${REQUESTS}:selfnodeclient`, subjects: ['group:system:nodes'] },
  'tutti:node-certificate-bootstrap': { role: `${REQUESTS}:nodeclient`, subjects: [JOINING] },
  'tutti:node-traffic': { subjects: [`group:${NODE_TRAFFIC}`] },
  'tutti:node-names': { subjects: [JOINING] },
  'tutti:certificate-controller': { subjects: ['account:kube-system/certificate-controller'] },
  // What the API server asks of nodes on other machines.
  'tutti:kubelet-api-admin': { role: 'system:kubelet-api-admin', subjects: ['user:kube-apiserver-kubelet-client'] },
  'tutti:node-bootstrapper': { role: 'system:node-bootstrapper', subjects: [JOINING] },
}

/** Subjects that earlier versions named in bindings of ours, and that must not have these roles any more. */
export const withdrawnSubjects: Readonly<Record<string, readonly string[]>> = {
  // Nodes read all pods: their traffic has a group of its own now.
  'tutti:node-traffic': ['group:system:nodes'],
}

/** Rules that earlier versions had in roles of ours, in the form in which they stood there. */
export const withdrawnRules: Readonly<Record<string, readonly string[]>> = {
  'kube-system/tutti:network-config': ['get,list,watch core configmaps kube-dns'],
}

/** Cluster roles and bindings of earlier versions that nothing needs any more. */
export const withdrawnNames: readonly string[] = ['tutti:scheduler-runtimes']

/** Roles in a namespace, by namespace and name. */
export const tuttiRoles: Readonly<Record<string, RoleSource>> = {
  // Where the cluster is and its CA: what a machine reads before it knows anything, and checks by its token.
  'kube-public/tutti:cluster-info': { rules: ['get core configmaps cluster-info'] },
  'kube-system/tutti:network-config': { rules: ['get core configmaps tutti-network'] },
  'kube-system/tutti:node-dns': { rules: ['get,list,watch core configmaps kube-dns'] },
  // The cluster's DNS is a service like any other, made by the node that serves it.
  'kube-system/tutti:cluster-dns': {
    rules: [
      'create,get,update,patch core services',
      'create,delete,get,list,patch,update discovery.k8s.io endpointslices',
      // Where names outside the cluster are asked.
      'get,list,watch core configmaps kube-dns',
    ],
  },
}

/** Role bindings in a namespace, by namespace and name. */
export const tuttiRoleBindings: Readonly<Record<string, BindingSource>> = {
  'kube-public/tutti:cluster-info': { subjects: ['user:system:anonymous', 'group:system:bootstrappers'] },
  'kube-system/tutti:network-config': { subjects: [JOINING, 'group:system:nodes'] },
  'kube-system/tutti:node-dns': { subjects: [`group:${NODE_TRAFFIC}`] },
  'kube-system/tutti:cluster-dns': { subjects: ['user:system:kube-proxy', 'account:kube-system/kube-proxy'] },
}
