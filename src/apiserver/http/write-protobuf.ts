/** Answers in protobuf. Loaded with the first client that speaks it; messages are made once per object and revision. */
import { setImmediate as breathe } from 'node:timers/promises'
import {
  envelopeOf,
  frameOf,
  itemHead,
  listHead,
  messageOf,
  protobufOf,
  typeOfEncoded,
} from '../../api/machinery/protobuf.ts'
import type { Answer, ServerWatchEvent } from '../request.ts'
import type { ListAnswer } from './write-list.ts'

/** Objects encoded between two looks at the clock, and how long others may be kept waiting, in ms. */
const STRIDE = 16
const PATIENCE = 5

/** One object as a body. What is kept has its message made once. */
export function protobufBody(answer: Extract<Answer, { type: 'object' | 'value' }>): Buffer {
  if (answer.type === 'value') return protobufOf(answer.value as object)
  return envelopeOf(answer.object, typeOfEncoded(answer.object))
}

export interface ProtobufList {
  readonly length: number
  readonly pieces: Iterable<Buffer>
}

/** A list as a body. The messages of its items are made first, with pauses: its head says how long they are. */
export async function protobufList(answer: ListAnswer): Promise<ProtobufList> {
  const { items } = answer
  const heads: Buffer[] = []
  let itemBytes = 0
  let since = performance.now()
  for (let at = 0; at < items.length; at++) {
    const message = messageOf(items[at]!)
    const head = itemHead(message)
    heads.push(head)
    itemBytes += head.length + message.length
    if (at % STRIDE === 0 && performance.now() - since > PATIENCE) {
      await breathe()
      since = performance.now()
    }
  }
  const head = listHead(answer, answer.metadata, itemBytes)
  function* pieces() {
    yield head
    for (let at = 0; at < items.length; at++) {
      yield heads[at]!
      yield messageOf(items[at]!)
    }
  }
  return { length: head.length + itemBytes, pieces: pieces() }
}

const frames = new WeakMap<ServerWatchEvent, Buffer>()

/** The frame of an event, which all watchers share. */
export function protobufFrame(event: ServerWatchEvent): Buffer {
  let frame = frames.get(event)
  if (!frame) frames.set(event, (frame = frameOf(event.type, event.object)))
  return frame
}
