import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { UserError } from '../context.ts'
import { textTable } from '../output/table.ts'

const NODES = ['nodes', 'node', 'no']
const PODS = ['pods', 'pod', 'po']

export const top = defineCommand({
  name: 'top',
  arguments: '[kind] [names...]',
  summary: 'show what nodes and pods use: top, top pods -A, top pod web',
  options: [
    NAMESPACE,
    { flags: '-A, --all-namespaces', description: 'of all namespaces' },
    { flags: '-l, --selector <selector>', description: 'with these labels' },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run([kind = 'nodes', ...names], options, context) {
    const ofNodes = NODES.includes(kind)
    if (!ofNodes && !PODS.includes(kind))
      throw new UserError(`what "${kind}" use is not known`, 'Try: tutti top nodes, tutti top pods')
    const { transport, namespace: own } = await context.connect()
    const selector = options.selector as string | undefined
    const query: Record<string, string> = selector ? { labelSelector: selector } : {}
    const everywhere = !ofNodes && options.allNamespaces === true
    const namespace = everywhere ? undefined : namespaceOf(options, own)
    const { NODE_HEADINGS, nodeUsage, POD_HEADINGS, podUsage } = await import('../top/usage.ts')
    const all = ofNodes ? await nodeUsage(transport, query) : await podUsage(transport, namespace, query)
    const rows = names.length ? all.filter(({ name }) => names.includes(name)) : all
    const missing = names.find(each => !rows.some(({ name }) => name === each))
    if (missing !== undefined)
      throw new UserError(
        `nothing is known of what ${missing} uses`,
        `It may be too young, or not there: tutti get ${kind}`,
      )
    if (context.json) context.io.out(`${JSON.stringify(rows.flatMap(({ metrics }) => metrics ?? []))}\n`)
    else if (!rows.length) context.io.err('Nothing is known of what they use yet.\n')
    else {
      const headings = ofNodes ? NODE_HEADINGS : POD_HEADINGS
      const cells = rows.map(({ namespace: of, cells }) => (everywhere ? [of, ...cells] : cells))
      context.io.out(`${textTable(everywhere ? ['Namespace', ...headings] : headings, cells)}\n`)
    }
    return 0
  },
})
