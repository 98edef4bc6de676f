/** The authorization matrix as a page for people. */
import { type Allowed, LETTERS } from './authorization-matrix.ts'

const HEAD = `# Who may do what

What the roles of a fresh cluster allow. The table is not written by hand: a test binds each role to a user who has nothing else, sends every verb of every resource, and compares what was not forbidden with what a kube-apiserver 1.36 answers (\`test/integration/api/authorization-matrix.test.ts\`). How requests are authenticated and decided is in [security.md](security.md).

Letters are verbs: ${Object.entries(LETTERS)
  .map(([verb, letter]) => `\`${letter}\` ${verb}`)
  .join(', ')}.

## Roles for people

\`admin\`, \`edit\` and \`view\` are meant to be bound in a namespace, where they allow what the table says for that namespace's own objects and nothing outside of it.

`

const PEOPLE = ['cluster-admin', 'admin', 'edit', 'view']

/** Letters by resource. */
function byResource(allowed: Allowed): Map<string, string> {
  const result = new Map<string, string>()
  for (const [letters, list] of Object.entries(allowed))
    if (letters !== 'paths') for (const resource of list.split(' ')) result.set(resource, letters)
  return result
}

const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`
const code = (text: string | undefined) => (text ? `\`${text}\`` : '')

function peopleTable(found: ReadonlyMap<string, Allowed>): string[] {
  const columns = PEOPLE.map(role => byResource(found.get(role) ?? {}))
  const resources = [...new Set(columns.flatMap(column => [...column.keys()]))].sort()
  return [
    row(['', ...PEOPLE]),
    row(['---', ...PEOPLE.map(() => '---')]),
    ...resources.map(resource => row([resource, ...columns.map(column => code(column.get(resource)))])),
    row(['paths', ...PEOPLE.map(role => (found.get(role)?.paths ? 'all' : ''))]),
  ]
}

/** \`glw\` pods services; \`g\` … */
function summary({ paths, ...rest }: Allowed): string {
  const parts = Object.entries(rest)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([letters, list]) => `${code(letters)} ${list.replaceAll(' ', ', ')}`)
  if (paths) parts.push(`paths ${paths.replaceAll(' ', ', ')}`)
  return parts.join('; ') || 'nothing by itself'
}

/** The whole page, from what was found out about each role. */
export function matrixPage(found: ReadonlyMap<string, Allowed>): string {
  const others = [...found.keys()].filter(role => !PEOPLE.includes(role)).sort()
  const lines = [
    ...peopleTable(found),
    '',
    '## Roles of the system',
    '',
    'Of Kubernetes, for its components and controllers, and of this program (`tutti:`).',
    '',
    row(['role', 'allows']),
    row(['---', '---']),
    ...others.map(role => row([role, summary(found.get(role)!)])),
  ]
  return `${HEAD}${lines.join('\n')}\n`
}
