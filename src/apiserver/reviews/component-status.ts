/** componentstatuses: the health of the control plane's parts. Deprecated upstream, and still asked for. */
import { Encoded } from '../../api/machinery/encoded.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { notFound } from '../../api/machinery/status-error.ts'
import type { Handler } from '../request.ts'

/** How a part of the control plane is. */
export interface ComponentHealth {
  readonly name: string
  readonly healthy: boolean
  /** `ok`, or what is wrong. */
  readonly message: string
}

const API = { apiVersion: 'v1', kind: 'ComponentStatus' } as const

function encoded({ name, healthy, message }: ComponentHealth): Encoded {
  const condition = { type: 'Healthy', status: healthy ? 'True' : 'False' }
  const object: KubeObject = {
    ...API,
    metadata: { name },
    ...{ conditions: [healthy ? { ...condition, message } : { ...condition, message: '', error: message }] },
  }
  return new Encoded(Buffer.from(JSON.stringify(object)), 0, object)
}

/** The handler of list and get. */
export function componentStatusHandler(components: () => readonly ComponentHealth[]): Handler {
  return async request => {
    const { name } = request.info
    if (!name)
      return {
        type: 'list',
        status: 200,
        apiVersion: 'v1',
        kind: 'ComponentStatusList',
        metadata: {},
        items: components().map(encoded),
      }
    const found = components().find(each => each.name === name)
    if (!found) throw notFound({ group: '', plural: 'componentstatus' }, name)
    return { type: 'object', status: 200, object: encoded(found) }
  }
}
