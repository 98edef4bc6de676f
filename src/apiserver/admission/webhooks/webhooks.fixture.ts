/** A server with webhooks that a test answers for. */
import type { TestContext } from 'node:test'
import { realClock } from '../../../lib/clock.ts'
import { ADMIN, startServer } from '../../bootstrap/server.fixture.ts'
import { type Loose, startWebhook } from '../../webhooks/webhook-server.fixture.ts'

export const MAPS = '/api/v1/namespaces/default/configmaps'

export const configMap = (name: string, data: object = { a: 'b' }, labels?: object) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, namespace: 'default', ...(labels && { labels }) },
  data,
})

export const rule = (resources: string[], operations = ['*'], more: object = {}) => ({
  operations,
  apiGroups: ['*'],
  apiVersions: ['*'],
  resources,
  ...more,
})

/** An answer to a review. */
export const review = (body: Loose, response: object = {}, apiVersion = 'admission.k8s.io/v1') => ({
  apiVersion,
  kind: 'AdmissionReview',
  response: { uid: body.request.uid, allowed: true, ...response },
})

export const patch = (...operations: object[]) => ({
  patchType: 'JSONPatch',
  patch: Buffer.from(JSON.stringify(operations)).toString('base64'),
})

/** Starts both. `answer` may be replaced; `path` is that of the hook: `/0` for the first. */
export async function startHooked(t: TestContext) {
  const state = { answer: (body: Loose, _path: string): unknown => review(body) }
  const webhook = await startWebhook((body, request, response) => {
    const document = state.answer(body, request.url!.split('?')[0]!)
    if (document === undefined) response.writeHead(500).end('broken')
    return document
  })
  const api = await startServer({ clock: realClock as never })
  t.after(async () => {
    await api.server.close()
    await webhook.close()
  })
  const configure = (type: 'Validating' | 'Mutating', name: string, ...hooks: object[]) => {
    const body = {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: `${type}WebhookConfiguration`,
      metadata: { name },
      webhooks: hooks.map((hook, at) => ({
        name: `${name}${at}.example.com`,
        clientConfig: { url: `https://127.0.0.1:${webhook.port}/${name}${at}`, caBundle: webhook.caBundle },
        rules: [rule(['configmaps'])],
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
        ...hook,
      })),
    }
    const plural = `${type.toLowerCase()}webhookconfigurations`
    return api.send(ADMIN, 'POST', `/apis/admissionregistration.k8s.io/v1/${plural}`, body)
  }
  return { ...api, state, webhook, configure }
}
