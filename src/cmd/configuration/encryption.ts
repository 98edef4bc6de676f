/**
 * What encrypts the store: the EncryptionConfiguration that is named, or one of the cluster's own with a key made at
 * its first start. The file is read again when it changes, so that keys can be rotated without a restart.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync, watch } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { type EncryptionDeps, type Rule, readEncryption } from '../../apiserver/encryption/configuration.ts'
import { type EncryptedStore, encryptedStore } from '../../apiserver/encryption/encrypted-store.ts'
import type { HealthCheck } from '../../apiserver/handlers/health.ts'
import { UserError } from '../../cli/context.ts'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Timer } from '../../lib/clock.ts'
import type { Store } from '../../store/store.ts'

/** Changes within this time are one, in ms: editors write in several steps. */
const SETTLE = 200

/** Secrets by a new key; what is there from before stays readable. */
const ownConfiguration = () =>
  JSON.stringify(
    {
      apiVersion: 'apiserver.config.k8s.io/v1',
      kind: 'EncryptionConfiguration',
      resources: [
        {
          resources: ['secrets'],
          providers: [
            { aesgcm: { keys: [{ name: 'key1', secret: randomBytes(32).toString('base64') }] } },
            { identity: {} },
          ],
        },
      ],
    },
    undefined,
    2,
  )

/** The cluster's own configuration, made where there is none. */
export function ownEncryption(dataDir: string): string {
  const file = join(dataDir, 'pki', 'encryption.json')
  if (!existsSync(file)) writeFileAtomic(file, `${ownConfiguration()}\n`)
  return file
}

/** The rules of a file, with every provider started. */
async function openRules(file: string, deps: EncryptionDeps): Promise<Rule[]> {
  let rules: Rule[] = []
  try {
    rules = await readEncryption(readFileSync(file, 'utf8'), deps)
    await Promise.all(providersOf(rules).map(each => each.start?.()))
    return rules
  } catch (cause) {
    closeRules(rules)
    throw new UserError(`${file}: ${(cause as Error).message}`, 'Without it what is encrypted cannot be read.', {
      cause,
    })
  }
}

const providersOf = (rules: readonly Rule[]) => rules.flatMap(each => each.providers)

function closeRules(rules: readonly Rule[]) {
  for (const provider of providersOf(rules)) provider.close?.()
}

/** Encrypts the store by a file. Rejects with `UserError` where that is wrong. `close` ends the looking for changes. */
export async function encryptBy(
  store: Store,
  file: string,
  deps: EncryptionDeps,
): Promise<{ readonly store: EncryptedStore; readonly checks: readonly HealthCheck[]; close(): void }> {
  const { clock, logger } = deps
  let rules = await openRules(file, deps)
  const encrypted = encryptedStore(store, rules)
  let timer: Timer | undefined
  let isClosed = false
  const reload = async () => {
    timer = undefined
    try {
      const next = await openRules(file, deps)
      if (isClosed) return closeRules(next)
      encrypted.setRules(next)
      closeRules(rules)
      rules = next
      logger.info({ file }, 'the encryption of the store was read anew')
    } catch (error) {
      // What was good before goes on.
      logger.error({ err: error, file }, 'the encryption of the store is wrong now, and stays as it was')
    }
  }
  // The folder is watched: editors put a new file in the place of the old.
  const watcher = watch(dirname(file), { persistent: false }, (_event, name) => {
    if (name === basename(file)) timer ??= clock.after(SETTLE, () => void reload())
  })
  watcher.on('error', error => logger.error({ err: error, file }, 'changes of a file are not seen any more'))
  return {
    store: encrypted,
    checks: [
      {
        name: 'kms-providers',
        check() {
          for (const provider of providersOf(rules)) if (provider.problem?.()) throw new Error(provider.problem())
        },
      },
    ],
    close() {
      isClosed = true
      timer?.cancel()
      closeRules(rules)
      watcher.close()
    },
  }
}
