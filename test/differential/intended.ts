/** What differs from a real server on purpose, each with its reason. */
import type { Answer, Ask, Scene } from './ask.ts'
import type { Difference } from './differences.ts'

export interface Intended {
  readonly reason: string
  /** True for a difference that this explains. */
  explains(difference: Difference, scene: Scene, ask: Ask, expected: Answer): boolean
}

const isMessage = ({ at }: Difference) => at === 'body.message' || /^body\.details\.causes/.test(at)

/** The texts on both sides with a part of them taken out are the same. */
const sameWithout =
  (...parts: readonly RegExp[]) =>
  (difference: Difference): boolean => {
    const { expected, actual } = difference
    if (!isMessage(difference) || expected === undefined || actual === undefined) return false
    const cut = (value: unknown) =>
      parts.reduce((text, part) => text.replace(part, '…'), typeof value === 'string' ? value : JSON.stringify(value))
    return cut(expected) === cut(actual)
  }

/** An object or a list in a message, between what comes before and after. */
const OBJECT = /(?<=value: )(\[|\{).*(\]|\})(?=: |$|,|")/gs

/** To the end of the text, or of the text in a cause. */
const GO_DIFFERENCE = /(?<= is immutable after creation.*)(?:\n|\\n)@@(?:.*?(?=","field":)|.*)/s

export const intended: readonly Intended[] = [
  {
    reason: 'the real server ends in a nil pointer here, and answers nothing',
    explains: (_difference, _scene, _ask, expected) => expected.status === 0,
  },
  {
    reason: 'items of lists are the bytes of their objects, which say their kind; Go leaves it out there',
    explains: ({ at, expected }) => /^body\.items\[\d+\]\.(kind|apiVersion)$/.test(at) && expected === undefined,
  },
  {
    reason: 'columns are not described: no client shows the descriptions',
    explains: ({ at }) => /^body\.columnDefinitions\[\d+\]\.description$/.test(at),
  },
  {
    reason: 'whole objects in messages stand in the names of Go fields there, and in those of the API here',
    explains: sameWithout(OBJECT),
  },
  {
    reason:
      'the message repeats the object that a patch made, where Go orders its fields in another way or says the patch',
    explains: sameWithout(
      /patch: Invalid value: "(?:[^"\\]|\\.)*"/,
      /Invalid value: \\?"(?:map\[|\\*\{)(?:[^"\\]|\\.)*"/,
    ),
  },
  {
    reason: 'the difference between two pods is shown field by field in JSON, not as Go prints its structs',
    explains: sameWithout(
      /(?<=`spec.terminationGracePeriodSeconds` \(allow it to be set to 1 if it was previously negative\)).*/s,
    ),
  },
  {
    reason: 'the message ends in the difference between two Go structs, line by line, empty fields and all',
    explains: ({ at, expected, actual }) =>
      isMessage({ at, expected, actual }) &&
      typeof expected === 'string' &&
      expected.replace(GO_DIFFERENCE, '') === actual,
  },
  {
    reason: 'the message names the key that the object has in etcd',
    explains: sameWithout(/StorageError: .*AdditionalErrorMsg: /),
  },
  {
    reason: 'a null for a list or a time that was never said is left out: it says no more, and decodes to the same',
    explains: ({ expected, actual }) => expected === null && actual === undefined,
  },
  {
    reason: 'a review is answered and not kept: who owns its fields is of no use',
    explains: ({ at, actual }, { topic }) =>
      at === 'body.metadata.managedFields' && actual === undefined && /Review$/.test(topic),
  },
  {
    reason: 'the message names a Go source file',
    explains: ({ expected }) => typeof expected === 'string' && expected.includes('pkg/runtime/scheme.go'),
  },
  {
    reason: 'a create with a resourceVersion is refused in a dry run as it is without',
    explains: (_difference, _scene, { title, path }) =>
      title.startsWith('metadata.resourceVersion') && path.includes('dryRun=All'),
  },
]
