import { isQualifiedName } from '../machinery/names.ts'
import type { KubeObject } from '../machinery/object.ts'

const STANDARD: ReadonlySet<string> = new Set(['orphan', 'foregroundDeletion', 'kubernetes'])

function problemsOf(name: string): string[] {
  const head = `metadata.finalizers: ${JSON.stringify(name)}: `
  const problems = isQualifiedName(name).map(message => head + message)
  if (name.includes('/') || STANDARD.has(name)) return problems
  const path = name.includes('.') ? ' including a path (/)' : ''
  const advice = `prefer a domain-qualified finalizer name${path} to avoid accidental conflicts with other finalizer writers`
  return [...problems, head + advice]
}

/** Warnings about new finalizers whose names may be those of others. */
export function finalizerWarnings(object: KubeObject, old: KubeObject | undefined): string[] {
  const { finalizers } = object.metadata ?? {}
  if (!finalizers?.length) return []
  const before = new Set(old?.metadata?.finalizers)
  return [...new Set(finalizers)]
    .filter(name => !before.has(name))
    .sort()
    .flatMap(problemsOf)
}
