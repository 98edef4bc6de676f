/** What cases are made from: good objects, each named `a`, in the namespace `d` where their kind has one. */

// biome-ignore lint/suspicious/noExplicitAny: objects of every kind, read and changed as JSON
export type Json = Record<string, any>

export interface Base {
  /** Says what it is: `minimal`, `full`, or what it shows. One minimal a kind. */
  readonly name: string
  readonly object: Json
}

/** The namespace of everything that has one. */
export const NAMESPACE = 'd'

export const META = { name: 'a', namespace: NAMESPACE }
export const CONTAINER = { name: 'c', image: 'nginx' }
export const SELECTOR = { matchLabels: { app: 'a' } }
export const TEMPLATE = { metadata: { labels: { app: 'a' } }, spec: { containers: [CONTAINER] } }
/** A selector that uses all it can. */
export const FULL_SELECTOR = {
  matchLabels: { app: 'a' },
  matchExpressions: [
    { key: 'tier', operator: 'In', values: ['web', 'api'] },
    { key: 'track', operator: 'Exists' },
  ],
}

/** Bases of one kind; metadata is made for it. */
export const basesOf = (
  apiVersion: string,
  kind: string,
  scope: 'namespaced' | 'cluster',
  objects: Readonly<Record<string, Json>>,
): Base[] =>
  Object.entries(objects).map(([name, { metadata, ...rest }]) => ({
    name,
    object: {
      apiVersion,
      kind,
      metadata: { ...(scope === 'namespaced' ? META : { name: 'a' }), ...metadata },
      ...rest,
    },
  }))
