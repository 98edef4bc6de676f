/** FlowSchemas and PriorityLevelConfigurations as they are at the moment, compiled. */
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/generated/types/flowcontrol-v1.ts'
import { FlowSchema as FlowSchemaKind } from '../../api/kinds/flowcontrol/flow-schema.ts'
import { PriorityLevelConfiguration as LevelKind } from '../../api/kinds/flowcontrol/priority-level-configuration.ts'
import type { KubeObject } from '../../api/machinery/object.ts'
import { flowSchemas, priorityLevels } from '../bootstrap/flow-control.generated.ts'
import type { Registry } from '../registry/registry.ts'
import type { ServerRequest } from '../request.ts'
import { byPrecedence, compileFlow, type Flow } from './flow-schema.ts'
import { type KnownLevel, type Level, levelsOf } from './level.ts'

/** Seats of the whole server, as upstream's `--max-requests-inflight` and `--max-mutating-requests-inflight` together. */
export const TOTAL_SEATS = 600

export interface Classified {
  readonly flow: Flow
  readonly level: Level
}

export interface Configuration {
  /** The first schema that a request matches. There is always one. */
  classify(request: ServerRequest): Classified
  levels(): readonly Level[]
  close(): void
}

/** There whatever becomes of the objects: without them nobody could mend anything. */
const MANDATORY = ['exempt', 'catch-all']

function withMandatory<T extends KubeObject>(found: readonly T[], specs: Readonly<Record<string, object>>): T[] {
  const missing = MANDATORY.filter(name => !found.some(each => each.metadata?.name === name))
  return [...found, ...missing.map(name => ({ metadata: { name }, spec: specs[name] }) as unknown as T)]
}

/**
 * Reads the configuration and follows it. `onChange` is called after every change, with the schemas and the names of the
 * levels that exist.
 */
export function followConfiguration(
  registry: Registry,
  onChange: (schemas: readonly FlowSchema[], levels: ReadonlySet<string>) => void,
): Configuration {
  let known = new Map<string, KnownLevel>()
  let levels: readonly Level[] = []
  let table: readonly Classified[] = []
  let fresh = false
  const schemaKind = registry.kind(FlowSchemaKind.key)
  const levelKind = registry.kind(LevelKind.key)
  const read = <T>(kind: typeof schemaKind) =>
    kind
      ? registry
          .reader(kind)
          .list()
          .map(({ value }) => value as T)
      : []

  function compile() {
    fresh = true
    const configurations = withMandatory(read<PriorityLevelConfiguration>(levelKind), priorityLevels)
    const schemas = withMandatory(read<FlowSchema>(schemaKind), flowSchemas)
    known = levelsOf(configurations, TOTAL_SEATS, known)
    levels = Array.from(known.values(), ({ level }) => level)
    table = schemas
      .map(compileFlow)
      .sort(byPrecedence)
      .flatMap(flow => {
        const found = known.get(flow.level)
        return found ? [{ flow, level: found.level }] : []
      })
  }
  function changed() {
    fresh = false
    onChange(
      read<FlowSchema>(schemaKind),
      new Set([...read<PriorityLevelConfiguration>(levelKind).map(each => each.metadata?.name ?? ''), ...MANDATORY]),
    )
  }
  const ends = [schemaKind, levelKind].flatMap(kind => (kind ? [registry.reader(kind).onChange(changed)] : []))
  changed()

  function classify(request: ServerRequest): Classified {
    if (!fresh) compile()
    for (const each of table) if (each.flow.matches(request)) return each
    return table.find(each => each.flow.name === 'catch-all') ?? table.at(-1)!
  }
  return {
    classify,
    levels() {
      if (!fresh) compile()
      return levels
    },
    close() {
      for (const end of ends) end()
    },
  }
}
