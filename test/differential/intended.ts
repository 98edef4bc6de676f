/** What differs from a real server on purpose, each with its reason. */
import type { Answer, Ask, Scene } from './ask.ts'
import type { Difference } from './differences.ts'

export interface Intended {
  readonly reason: string
  /** True for a difference that this explains. */
  explains(difference: Difference, scene: Scene, ask: Ask, expected: Answer): boolean
}

const isMessage = ({ at }: Difference) => /^body\.(details\.causes\[\d+\]\.)?message$/.test(at)

/** The sentences on both sides are the same once `cut` has taken a part out of each. */
const sameAfter =
  (cut: (text: string) => string) =>
  (difference: Difference): boolean => {
    const { expected, actual } = difference
    if (!isMessage(difference) || typeof expected !== 'string' || typeof actual !== 'string') return false
    return cut(expected) === cut(actual)
  }

const sameWithout = (...parts: readonly RegExp[]) =>
  sameAfter(text => parts.reduce((rest, part) => rest.replace(part, ''), text))

/** Where the JSON value that begins at `start` ends. */
function endOfJson(text: string, start: number): number {
  let depth = 0
  for (let at = start; at < text.length; at++) {
    const found = text[at]!
    if (found === '"') for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++
    if (found === '{' || found === '[') depth++
    if ((found === '}' || found === ']') && --depth === 0) return at + 1
  }
  return text.length
}

/** Takes out the objects and lists that are said to be invalid, and leaves what is said of them. */
function withoutObjects(text: string): string {
  const [before, ...values] = text.split(/(?<=value: )(?=[[{])/)
  return [before, ...values.map(rest => `…${rest.slice(endOfJson(rest, 0))}`)].join('')
}

/** One error's sentence ends in it. */
const GO_DIFFERENCE = /(?<= is immutable after creation[^\n]*)\n@@.*$|(?<= may not be changed\n)@@.*$/s
const POD_DIFFERENCE =
  /(?<=`spec.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)\n).*$/s

interface Cause {
  readonly field?: string
  readonly message?: string
}

const causesOf = ({ body }: Answer) => (body as { details?: { causes?: Cause[] } } | null)?.details?.causes ?? []

const isPolicy = ({ message = '' }: Cause) => message.endsWith('disallowed by cluster policy')

/** All other causes are the same, field by field, but for what is intended about their sentences. */
function sameButPolicy({ at, expected, actual }: Difference, answer: Answer): boolean {
  if (!causesOf(answer).some(isPolicy)) return false
  if (at === 'body.message') return true
  if (at !== 'body.details.causes' || !Array.isArray(expected) || !Array.isArray(actual)) return false
  const said = ({ field, message = '' }: Cause) =>
    `${field} ${withoutObjects(message).replace(POD_DIFFERENCE, '').replace(GO_DIFFERENCE, '')}`
  return (
    expected
      .filter(cause => !isPolicy(cause))
      .map(said)
      .join('\n') === actual.map(said).join('\n')
  )
}

export const intended: readonly Intended[] = [
  {
    reason: 'columns of built-in kinds are not described: the sentences are not ours, and no client shows them',
    explains: ({ at, actual }) => /^body\.columnDefinitions\[\d+\]\.description$/.test(at) && actual === '',
  },
  {
    reason: 'the real server ends in a nil pointer here, and answers nothing',
    explains: (_difference, _scene, _ask, expected) => expected.status === 0,
  },
  {
    reason: 'whole objects in messages stand in the names of Go fields there, and in those of the API here',
    explains: sameAfter(withoutObjects),
  },
  {
    reason:
      'the message repeats the object that a patch made, where Go orders its fields in another way or says the patch',
    explains: sameWithout(/patch: Invalid value: "(?:[^"\\]|\\.)*"/, /Invalid value: "(?:map\[|\{)(?:[^"\\]|\\.)*"/),
  },
  {
    reason: 'the difference between two pods is shown field by field in JSON, not as Go prints its structs',
    explains: sameWithout(POD_DIFFERENCE),
  },
  {
    reason: 'the message ends in the difference between two Go structs, line by line, empty fields and all',
    explains: sameAfter(text => text.replace(GO_DIFFERENCE, '')),
  },
  {
    reason: 'the message names the key that the object has in etcd',
    explains: sameAfter(text => text.replace(/StorageError: .*AdditionalErrorMsg: /, '')),
  },
  {
    reason: 'a null for a list or a time that was never said is left out: it says no more, and decodes to the same',
    explains: ({ expected, actual }) => expected === null && actual === undefined,
  },
  {
    reason: 'rows of IPAddresses have a cell there for which there is no column',
    explains: ({ at, expected, actual }, { topic }) =>
      topic.endsWith('-IPAddress') &&
      /^body\.rows\[\d+\]\.cells$/.test(at) &&
      JSON.stringify((expected as unknown[]).slice(0, -1)) === JSON.stringify(actual),
  },
  {
    reason: 'an annotation that stands for a field of a type inside of Go is shown with the metadata alone, too',
    explains: ({ at, expected, actual }, { topic }) =>
      topic.endsWith('-DaemonSet') &&
      at.endsWith('.metadata.annotations') &&
      expected === undefined &&
      Object.keys(actual as object).join() === 'deprecated.daemonset.template.generation',
  },
  {
    reason:
      'privileged containers are allowed, as every server is told to that runs node agents; the recorded one was not',
    explains: (difference, _scene, _ask, expected) => sameButPolicy(difference, expected),
  },
  {
    reason: 'the message names a Go source file',
    explains: sameWithout(
      / in scheme "pkg\/runtime\/scheme\.go:\d+"/,
      /patch: Invalid value: "(?:[^"\\]|\\.)*"/,
      /Invalid value: "(?:map\[|\{)(?:[^"\\]|\\.)*"/,
    ),
  },
  {
    reason: 'a create with a resourceVersion is refused in a dry run as it is without',
    explains: (_difference, _scene, { title, path }) =>
      title.startsWith('metadata.resourceVersion') && path.includes('dryRun=All'),
  },
]
