/** Writes into the status of every FlowSchema whether its priority level exists, as upstream's condition Dangling. */
import type { FlowSchema } from '../../api/generated/types/flowcontrol-v1.ts'
import { FlowSchema as FlowSchemaKind } from '../../api/kinds/flowcontrol/flow-schema.ts'
import { applyPatch } from '../../api/machinery/apply/apply.ts'
import type { Kind } from '../../api/machinery/kind.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { rfc3339 } from '../../api/machinery/time.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Logger } from '../../lib/log.ts'
import type { Registry, WriteContext } from '../registry/registry.ts'
import { resetFields } from '../registry/reset-fields.ts'

const MANAGER = 'api-priority-and-fairness-config-consumer-v1'
const CONTEXT: WriteContext = {
  user: { name: 'system:apiserver', groups: ['system:masters'] },
  fieldManager: MANAGER,
  subresource: 'status',
  applied: true,
}

type Conditions = NonNullable<NonNullable<FlowSchema['status']>['conditions']>
type Condition = Conditions[number]

/** What the condition should say; undefined where it says so already. */
export function danglingCondition(
  { spec, status }: FlowSchema,
  levels: ReadonlySet<string>,
  now: number,
): Condition | undefined {
  const name = spec?.priorityLevelConfiguration?.name ?? ''
  const exists = levels.has(name)
  const head = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`
  const message = exists ? `${head} and it exists` : `${head} but there is no such object`
  const wanted = { status: exists ? 'False' : 'True', reason: exists ? 'Found' : 'NotFound', message }
  const known = status?.conditions?.find(({ type }) => type === 'Dangling')
  if (known?.status === wanted.status && known.reason === wanted.reason && known.message === message) return undefined
  const since = known?.status === wanted.status ? known.lastTransitionTime : undefined
  return { type: 'Dangling', lastTransitionTime: since ?? rfc3339(now), ...wanted }
}

/** The schema with the condition, as a server-side apply of nothing else makes it: upstream's does that. */
function applied(kind: Kind, live: KubeObject, condition: Condition, now: number): KubeObject | undefined {
  const { apiVersion } = kind
  const intent = { apiVersion, kind: kind.kind, metadata: { name: live.metadata!.name! } }
  const { object } = applyPatch({
    live,
    applied: { ...intent, status: { conditions: [condition] } } as KubeObject,
    schema: kind.schema,
    apiVersion,
    manager: MANAGER,
    subresource: 'status',
    force: true,
    now,
    ignored: resetFields(kind, 'status'),
  })
  return object
}

/** Makes the writer. It is told the schemas and the levels that exist after every change, and writes what differs. */
export function statusWriter(registry: Registry, clock: Clock, logger: Logger) {
  const writing = new Set<string>()

  async function write(schema: FlowSchema, levels: ReadonlySet<string>) {
    const kind = registry.kind(FlowSchemaKind.key)
    const name = schema.metadata?.name ?? ''
    if (!kind || writing.has(name)) return
    writing.add(name)
    try {
      await registry.update(
        kind,
        { namespace: '', name },
        (live: KubeObject) => {
          const condition = danglingCondition(live as FlowSchema, levels, clock.now())
          return condition && applied(kind, live, condition, clock.now())
        },
        CONTEXT,
      )
    } catch (error) {
      // It may be gone by now, or the server closing; the next change brings another try.
      logger.debug({ err: error, name }, 'the status of a FlowSchema was not written')
    } finally {
      writing.delete(name)
    }
  }

  return (schemas: readonly FlowSchema[], levels: ReadonlySet<string>) => {
    for (const schema of schemas) {
      if (danglingCondition(schema, levels, clock.now())) void write(schema, levels)
    }
  }
}
