/** The audit log as the configuration file describes it. */
import { readFileSync } from 'node:fs'
import type { Audit } from '../../apiserver/audit/audit.ts'
import { UserError } from '../../cli/context.ts'
import type { LoadedConfiguration } from './configuration.ts'
import type { SettingsDeps } from './deps.ts'
import { about, durationOf } from './fields.ts'

/** Opens the audit log that a configuration asks for; undefined where it asks for none. Rejects with `UserError`. */
export async function openAudit(loaded: LoadedConfiguration, deps: SettingsDeps): Promise<Audit | undefined> {
  const { audit } = loaded.configuration
  if (!audit) return undefined
  if (!audit.policyFile) throw new UserError(`${loaded.file}: audit.policyFile: Required value`, '')
  if (!audit.log?.path && !audit.webhook?.kubeconfigFile)
    throw new UserError(
      `${loaded.file}: audit.log.path: Required value: where the events go, or - for the standard output`,
      'Events may go to audit.webhook.kubeconfigFile instead, or as well.',
    )
  const policyFile = loaded.path(audit.policyFile)
  const { createAudit } = await import('../../apiserver/audit/audit.ts')
  const { readPolicy } = await import('../../apiserver/audit/policy.ts')
  const policy = await about(policyFile, 'Policy', () => readPolicy(readFileSync(policyFile, 'utf8')))
  const backends = [await logBackend(loaded, deps), await webhookOf(loaded, deps)]
  return createAudit({
    policy,
    backends: backends.filter(each => each !== undefined),
    clock: deps.clock,
    uuid: deps.uuid,
  })
}

async function logBackend({ configuration, file, path: from }: LoadedConfiguration, deps: SettingsDeps) {
  const { path, truncate, ...rest } = configuration.audit?.log ?? {}
  if (!path) return undefined
  const { fileBackend } = await import('../../apiserver/audit/file-backend.ts')
  const { truncating } = await import('../../apiserver/audit/truncate.ts')
  const backend = about(file, 'audit.log', () => fileBackend({ ...rest, path: path === '-' ? path : from(path) }, deps))
  return truncate?.enabled ? truncating(backend, truncate, deps.logger) : backend
}

/** An answer is waited for so long, in ms, as upstream does. */
const POST_TIMEOUT = 30_000

async function webhookOf({ configuration, file, path }: LoadedConfiguration, deps: SettingsDeps) {
  const { kubeconfigFile, batchMaxSize, batchBufferSize, batchMaxWait, initialBackoff, truncate, ...more } =
    configuration.audit?.webhook ?? {}
  if (!kubeconfigFile) return undefined
  const { batchThrottleEnable: throttle, batchThrottleQPS: qps, batchThrottleBurst: burst } = more
  for (const [field, value] of Object.entries({ batchThrottleQPS: qps, batchThrottleBurst: burst }))
    if (value !== undefined && !(value > 0))
      throw new UserError(`${file}: audit.webhook.${field}: ${value} must be greater than 0`, '')
  const { webhookBackend } = await import('../../apiserver/audit/webhook-backend.ts')
  const { truncating } = await import('../../apiserver/audit/truncate.ts')
  const { openWebhook } = await import('../../apiserver/webhooks/connection.ts')
  const endpoint = await about(file, 'audit.webhook.kubeconfigFile', () =>
    openWebhook(path(kubeconfigFile), deps.clock),
  )
  const time = (field: string, text: string) => about(file, `audit.webhook.${field}`, () => durationOf(text))
  const post = async (body: string) => {
    try {
      await endpoint.post(JSON.parse(body), { timeoutMs: POST_TIMEOUT })
    } catch (error) {
      // What a server says that took the events is of no interest, JSON or not.
      const { status = 0 } = error as { status?: number }
      if (status < 200 || status > 299) throw error
    }
  }
  const backend = webhookBackend(
    { post, clock: deps.clock, logger: deps.logger },
    {
      ...(batchMaxSize && { maxSize: batchMaxSize }),
      ...(batchBufferSize && { bufferSize: batchBufferSize }),
      ...(batchMaxWait && { maxWait: time('batchMaxWait', batchMaxWait) }),
      ...(initialBackoff && { initialBackoff: time('initialBackoff', initialBackoff) }),
      ...(throttle !== undefined && { throttle }),
      ...(qps && { qps }),
      ...(burst && { burst }),
      ...(truncate?.enabled && { maxBytes: truncate.maxBatchSize ?? 10 * 1024 * 1024 }),
    },
  )
  return truncate?.enabled ? truncating(backend, truncate, deps.logger) : backend
}
