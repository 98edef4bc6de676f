/** componentstatuses: the health of the control plane's parts. Deprecated upstream, and still asked for. */
import { ComponentStatus } from '../../api/kinds/core/component-status.ts'
import { Encoded } from '../../api/machinery/encoded.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { notFound } from '../../api/machinery/status-error.ts'
import { listOptions, selectionOf } from '../handlers/list-options.ts'
import type { Answer, Handler, ServerRequest } from '../request.ts'

/** How a part of the control plane is. */
export interface ComponentHealth {
  readonly name: string
  readonly healthy: boolean
  /** `ok`, or what is wrong. */
  readonly message: string
}

function encoded({ name, healthy, message }: ComponentHealth): Encoded {
  const condition = { type: 'Healthy', status: healthy ? 'True' : 'False', message }
  const object: KubeObject = {
    kind: ComponentStatus.kind,
    apiVersion: ComponentStatus.apiVersion,
    metadata: { name },
    ...{ conditions: [condition] },
  }
  return new Encoded(Buffer.from(JSON.stringify(object)), 0, object)
}

/** The handler of list and get. */
export function componentStatusHandler(components: () => readonly ComponentHealth[]): Handler {
  function list(request: ServerRequest): Answer {
    const { name, matches } = selectionOf(ComponentStatus, '', listOptions(request, false))
    const items = components()
      .filter(each => !name || each.name === name)
      .map(encoded)
      .filter(each => !matches || matches(each))
    const { apiVersion, listKind: kind } = ComponentStatus
    return { type: 'list', status: 200, apiVersion, kind, metadata: {}, items, untyped: true }
  }

  return async request => {
    const { name, verb } = request.info
    if (verb === 'list') return list(request)
    const found = components().find(each => each.name === name)
    if (!found) throw notFound({ group: '', plural: 'componentstatus' }, name)
    return { type: 'object', status: 200, object: encoded(found) }
  }
}
