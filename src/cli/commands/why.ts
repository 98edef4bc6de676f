import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { paint } from '../output/color.ts'
import { diagnose } from '../why/diagnose.ts'
import { gatherFacts } from '../why/facts.ts'

export const why = defineCommand({
  name: 'why',
  arguments: '<target> [name]',
  summary: 'say why a pod, deployment, service or ingress is not ready, and what to do: why deploy/web',
  options: [NAMESPACE, { flags: '--kubeconfig <file>', description: 'the cluster to talk to' }],
  async run(args, options, context) {
    const connection = await context.connect()
    const facts = await gatherFacts(connection.transport, namespaceOf(options, connection.namespace), args)
    const findings = diagnose(facts)
    const { io } = context
    if (context.json) {
      io.out(`${JSON.stringify({ target: facts.target, ready: findings.length === 0, findings })}\n`)
      return findings.length === 0 ? 0 : 1
    }
    if (findings.length === 0) {
      io.out(`${facts.target} is ${paint(io, 'green', 'ready')}.\n`)
      return 0
    }
    for (const { about, cause, next } of findings)
      io.out(
        `${paint(io, 'yellow', about)}: ${cause}\n${next.map(command => `  ${paint(io, 'dim', 'next:')} ${command}\n`).join('')}`,
      )
    return 1
  },
})
