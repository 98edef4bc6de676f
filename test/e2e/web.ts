/** The service that the end-to-end tests run: a Deployment of fixtures/server.mjs, reachable on the machine's loopback. */
import { join } from 'node:path'

const server = join(import.meta.dirname, 'fixtures/server.mjs')

export interface WebOptions {
  /** On the loopback of the machine. */
  readonly port: number
  readonly replicas: number
  readonly graceSeconds: number
  /** Further fields of the Deployment's spec, and of its container. */
  readonly spec?: object
  readonly container?: object
}

/** A List of the Service and the Deployment, both named `web`, as JSON. */
export const webManifest = ({ port, replicas, graceSeconds, spec, container }: WebOptions): string =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'List',
    items: [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'web' },
        spec: { type: 'LoadBalancer', selector: { app: 'web' }, ports: [{ port, targetPort: 8080 }] },
      },
      {
        apiVersion: 'apps/v1',
        kind: 'Deployment',
        metadata: { name: 'web' },
        spec: {
          replicas,
          ...spec,
          selector: { matchLabels: { app: 'web' } },
          template: {
            metadata: { labels: { app: 'web' } },
            spec: {
              runtimeClassName: 'process',
              terminationGracePeriodSeconds: graceSeconds,
              containers: [
                {
                  name: 'web',
                  image: 'host',
                  command: [process.execPath, server],
                  ports: [{ containerPort: 8080 }],
                  readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1, timeoutSeconds: 10 },
                  ...container,
                },
              ],
            },
          },
        },
      },
    ],
  })
