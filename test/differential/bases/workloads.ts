import { type Base, basesOf, CONTAINER, FULL_SELECTOR, type Json, NAMESPACE, SELECTOR, TEMPLATE } from './base.ts'

const full: Json = {
  metadata: { labels: { app: 'a', tier: 'web', track: 'x' }, annotations: { note: 'x' } },
  spec: {
    containers: [
      {
        ...CONTAINER,
        ports: [{ containerPort: 80, name: 'web' }],
        env: [{ name: 'A', value: 'x' }],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
        readinessProbe: { httpGet: { port: 'web' } },
        resources: { requests: { cpu: '100m' } },
      },
    ],
    volumes: [{ name: 'data', emptyDir: {} }],
    nodeSelector: { a: 'b' },
  },
}
const once = { spec: { containers: [CONTAINER], restartPolicy: 'Never' } }
const job = { template: once }
const claims = [
  {
    metadata: { name: 'data', labels: { a: 'b' } },
    spec: {
      accessModes: ['ReadWriteOnce'],
      resources: { requests: { storage: '1Gi' } },
      storageClassName: 'fast',
    },
  },
]
const target = { apiVersion: 'apps/v1', kind: 'Deployment', name: 'a' }
const metric = { name: 'm', selector: SELECTOR }

const fullJob: Json = {
  parallelism: 2,
  completions: 3,
  activeDeadlineSeconds: 100,
  backoffLimit: 4,
  backoffLimitPerIndex: 1,
  maxFailedIndexes: 2,
  completionMode: 'Indexed',
  ttlSecondsAfterFinished: 60,
  suspend: true,
  podReplacementPolicy: 'Failed',
  managedBy: 'example.com/x',
  successPolicy: { rules: [{ succeededIndexes: '0-1', succeededCount: 1 }] },
  podFailurePolicy: {
    rules: [
      { action: 'FailJob', onExitCodes: { containerName: 'c', operator: 'In', values: [2, 3] } },
      { action: 'Ignore', onPodConditions: [{ type: 'DisruptionTarget', status: 'True' }] },
    ],
  },
  template: once,
}

export const workloads: Base[] = [
  ...basesOf('apps/v1', 'Deployment', 'namespaced', {
    minimal: { spec: { selector: SELECTOR, template: TEMPLATE } },
    full: {
      metadata: { labels: { app: 'a' } },
      spec: {
        replicas: 3,
        minReadySeconds: 1,
        revisionHistoryLimit: 2,
        progressDeadlineSeconds: 30,
        paused: true,
        selector: FULL_SELECTOR,
        strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '20%', maxUnavailable: 1 } },
        template: full,
      },
    },
  }),
  ...basesOf('apps/v1', 'ReplicaSet', 'namespaced', {
    minimal: { spec: { selector: SELECTOR, template: TEMPLATE } },
    full: { spec: { replicas: 3, minReadySeconds: 1, selector: FULL_SELECTOR, template: full } },
  }),
  ...basesOf('apps/v1', 'StatefulSet', 'namespaced', {
    minimal: { spec: { selector: SELECTOR, template: TEMPLATE, serviceName: 'a' } },
    full: {
      spec: {
        replicas: 3,
        minReadySeconds: 1,
        revisionHistoryLimit: 2,
        serviceName: 'a',
        podManagementPolicy: 'Parallel',
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1, maxUnavailable: 1 } },
        persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
        ordinals: { start: 2 },
        selector: FULL_SELECTOR,
        template: { ...full, spec: { ...full.spec, volumes: [] } },
        volumeClaimTemplates: claims,
      },
    },
  }),
  ...basesOf('apps/v1', 'DaemonSet', 'namespaced', {
    minimal: { spec: { selector: SELECTOR, template: TEMPLATE } },
    full: {
      spec: {
        minReadySeconds: 1,
        revisionHistoryLimit: 2,
        updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '20%', maxSurge: 0 } },
        selector: FULL_SELECTOR,
        template: full,
      },
    },
  }),
  ...basesOf('apps/v1', 'ControllerRevision', 'namespaced', {
    minimal: { revision: 1, data: { x: 1 } },
    full: { revision: 1, data: { spec: { x: 1 } } },
  }),
  ...basesOf('batch/v1', 'Job', 'namespaced', {
    minimal: { spec: job },
    full: { spec: fullJob },
    'own selector': {
      spec: {
        manualSelector: true,
        selector: SELECTOR,
        template: { ...once, metadata: { labels: { app: 'a' } } },
      },
    },
  }),
  ...basesOf('batch/v1', 'CronJob', 'namespaced', {
    minimal: { spec: { schedule: '* * * * *', jobTemplate: { spec: job } } },
    full: {
      spec: {
        schedule: '*/5 0-6 1,15 * MON-FRI',
        timeZone: 'Europe/Rome',
        startingDeadlineSeconds: 10,
        concurrencyPolicy: 'Forbid',
        suspend: true,
        successfulJobsHistoryLimit: 1,
        failedJobsHistoryLimit: 2,
        jobTemplate: {
          metadata: { labels: { a: 'b' }, annotations: { a: 'b' } },
          spec: { ...fullJob, suspend: false },
        },
      },
    },
  }),
  ...basesOf('autoscaling/v2', 'HorizontalPodAutoscaler', 'namespaced', {
    minimal: { spec: { scaleTargetRef: target, maxReplicas: 3 } },
    full: {
      spec: {
        scaleTargetRef: target,
        minReplicas: 2,
        maxReplicas: 5,
        behavior: {
          scaleUp: {
            stabilizationWindowSeconds: 5,
            selectPolicy: 'Min',
            policies: [{ type: 'Pods', value: 2, periodSeconds: 30 }],
            tolerance: '0.5',
          },
          scaleDown: { policies: [{ type: 'Percent', value: 10, periodSeconds: 60 }] },
        },
        metrics: [
          { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
          {
            type: 'ContainerResource',
            containerResource: { name: 'cpu', container: 'c', target: { type: 'AverageValue', averageValue: '5' } },
          },
          { type: 'Pods', pods: { metric, target: { type: 'AverageValue', averageValue: '10' } } },
          {
            type: 'Object',
            object: {
              describedObject: { apiVersion: 'v1', kind: 'Service', name: 's' },
              metric,
              target: { type: 'Value', value: '10' },
            },
          },
          { type: 'External', external: { metric, target: { type: 'AverageValue', averageValue: '30' } } },
        ],
      },
    },
  }),
  ...basesOf('autoscaling/v1', 'HorizontalPodAutoscaler', 'namespaced', {
    minimal: { spec: { scaleTargetRef: target, maxReplicas: 3 } },
    full: { spec: { scaleTargetRef: target, minReplicas: 2, maxReplicas: 3, targetCPUUtilizationPercentage: 70 } },
  }),
  ...basesOf('policy/v1', 'PodDisruptionBudget', 'namespaced', {
    minimal: { spec: { minAvailable: 1, selector: SELECTOR } },
    full: { spec: { maxUnavailable: '20%', selector: FULL_SELECTOR, unhealthyPodEvictionPolicy: 'AlwaysAllow' } },
  }),
  ...basesOf('scheduling.k8s.io/v1', 'PriorityClass', 'cluster', {
    minimal: { value: 10 },
    full: { value: 10, globalDefault: false, description: 'words', preemptionPolicy: 'Never' },
  }),
  ...basesOf('coordination.k8s.io/v1', 'Lease', 'namespaced', {
    minimal: { spec: { holderIdentity: 'me' } },
    full: {
      spec: {
        holderIdentity: 'me',
        leaseDurationSeconds: 10,
        acquireTime: '2026-01-01T00:00:00.000000Z',
        renewTime: '2026-01-01T00:00:01.000000Z',
        leaseTransitions: 1,
        strategy: 'OldestEmulationVersion',
        preferredHolder: 'you',
      },
    },
  }),
  ...basesOf('events.k8s.io/v1', 'Event', 'namespaced', {
    minimal: {
      eventTime: '2026-01-01T00:00:00.000000Z',
      reportingController: 'example.com/test',
      reportingInstance: 'one',
      action: 'Testing',
      reason: 'Test',
      type: 'Normal',
      regarding: { namespace: NAMESPACE },
    },
    full: {
      eventTime: '2026-01-01T00:00:00.000000Z',
      series: { count: 2, lastObservedTime: '2026-01-01T00:00:01.000000Z' },
      reportingController: 'example.com/test',
      reportingInstance: 'one',
      action: 'Testing',
      reason: 'Test',
      type: 'Warning',
      regarding: { kind: 'Pod', name: 'a', namespace: NAMESPACE },
      related: { kind: 'Pod', name: 'b' },
      note: 'words',
    },
  }),
]
