/** What tests hand to a runtime driver: a pod and a container that ask for nothing; `more` says what they do ask for. */
import type { ContainerConfig, SandboxConfig } from './runtime.ts'

export const plainSandbox = (uid: string, directory: string, more: Partial<SandboxConfig> = {}): SandboxConfig => ({
  namespace: 'default',
  name: 'pod',
  uid,
  attempt: 0,
  handler: '',
  hostname: 'pod',
  directory,
  labels: {},
  annotations: {},
  hostNetwork: false,
  hostPID: false,
  hostIPC: false,
  shareProcessNamespace: false,
  ips: ['127.0.0.1'],
  qosClass: 'BestEffort',
  resources: {},
  ...more,
})

export const plainContainer = (image: string, more: Partial<ContainerConfig> = {}): ContainerConfig => ({
  name: 'main',
  attempt: 0,
  image,
  command: [],
  args: [],
  env: [],
  mounts: [],
  stdin: false,
  stdinOnce: false,
  tty: false,
  resources: {},
  supplementalGroups: [],
  privileged: false,
  readOnlyRootFilesystem: false,
  labels: {},
  annotations: {},
  ...more,
})
