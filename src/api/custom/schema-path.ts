import type { CustomNode } from './node.ts'

/** The path of a field below a schema's value, as errors show it, of a rule's `fieldPath` such as `.spec['a.b']`. */
export function fieldPathOf(root: CustomNode, fieldPath: string): string {
  let node: CustomNode | undefined = root
  let path = ''
  for (const [, quoted, plain] of fieldPath.matchAll(/\['((?:[^'\\]|\\.)*)'\]|\.([^.[\]]+)/g)) {
    const name: string = quoted?.replace(/\\(.)/g, '$1') ?? plain ?? ''
    const property: CustomNode | undefined = node?.properties.get(name)
    path = property ? (path ? `${path}.${name}` : name) : `${path}[${name}]`
    node = property ?? node?.values
  }
  return path
}
