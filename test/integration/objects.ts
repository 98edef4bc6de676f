/** Objects that integration tests begin with. */
import type { Deployment } from '../../src/api/kinds/apps/deployment.ts'
import type { Job } from '../../src/api/kinds/batch/job.ts'
import type { Pod } from '../../src/api/kinds/core/pod.ts'
import type { Cluster } from '../../src/cmd/testing.ts'

/** A Deployment `name` of one container; `spec` overrides. */
export const deployment = (name: string, spec: Partial<Deployment['spec']> = {}, image = 'v1'): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name },
  spec: {
    replicas: 3,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image }] } },
    ...spec,
  } as NonNullable<Deployment['spec']>,
})

/** A Job `name` of one container; `spec` overrides. */
export const job = (name: string, spec: Partial<Job['spec']> = {}): Job => ({
  apiVersion: 'batch/v1',
  kind: 'Job',
  metadata: { name },
  spec: {
    template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'v1' }] } },
    ...spec,
  } as NonNullable<Job['spec']>,
})

/** A change of the image, as `kubectl set image` sends it. */
export const withImage = (image: string) => ({
  spec: { template: { spec: { containers: [{ name: 'main', image }] } } },
})

export const inDefault = (name: string) => ({ namespace: 'default', name })

export const imageOf = (pod: Pod) => pod.spec?.containers[0]?.image

/** Pods in `default`, of one label `app` where it is given. */
export const podsOf = async (cluster: Cluster, app?: string) =>
  (await cluster.objects<Pod>('Pod').list({ namespace: 'default', ...(app && { labelSelector: `app=${app}` }) })).items

/** Reasons and messages of the events about an object, in the order in which they were recorded. */
export async function eventsOf(cluster: Cluster, name: string): Promise<string[]> {
  await cluster.settle()
  type Recorded = { metadata?: object; involvedObject: { name?: string }; reason?: string; message?: string }
  const { items } = await cluster.objects<Recorded>('Event').list({ namespace: 'default' })
  return items.filter(each => each.involvedObject.name === name).map(each => `${each.reason}: ${each.message}`)
}
