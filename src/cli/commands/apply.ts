import { applyObjects } from '../apply/apply-objects.ts'
import { readManifests } from '../apply/manifests.ts'
import { defineCommand, NAMESPACE, namespaceOf } from '../command.ts'
import { UserError } from '../context.ts'

export const apply = defineCommand({
  name: 'apply',
  summary: 'make objects be as files declare them (server-side apply)',
  options: [
    { flags: '-f, --filename <path>', description: 'file, folder, or - for standard input', repeatable: true },
    NAMESPACE,
    { flags: '--force', description: 'take over fields that others manage' },
    { flags: '--dry-run', description: 'let the server check everything and store nothing' },
    { flags: '--kubeconfig <file>', description: 'the cluster to talk to' },
  ],
  async run(_args, options, context) {
    const files = options.filename as string[] | undefined
    if (!files?.length) throw new UserError('which files?', 'Name them with -f FILE.')
    const manifests = await readManifests(files, context.io.stdin)
    const connection = await context.connect()
    const applied = await applyObjects(connection.transport, manifests, {
      namespace: namespaceOf(options, connection.namespace),
      force: options.force === true,
      dryRun: options.dryRun === true,
      onApplied: ({ name, outcome }) => {
        if (!context.json) context.io.out(`${name} ${outcome}${options.dryRun ? ' (dry run)' : ''}\n`)
      },
    })
    if (context.json) context.io.out(`${JSON.stringify(applied.map(({ name, outcome }) => ({ name, outcome })))}\n`)
    return 0
  },
})
