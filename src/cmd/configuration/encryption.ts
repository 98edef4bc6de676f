/**
 * What encrypts the store: the EncryptionConfiguration that is named, or one of the cluster's own with a key made at
 * its first start. The file is read again when it changes, so that keys can be rotated without a restart.
 */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type EncryptionDeps, type Rule, readEncryption } from '../../apiserver/encryption/configuration.ts'
import { type EncryptedStore, encryptedStore } from '../../apiserver/encryption/encrypted-store.ts'
import type { HealthCheck } from '../../apiserver/handlers/health.ts'
import { UserError } from '../../cli/context.ts'
import { writeFileAtomic } from '../../lib/atomic-file.ts'
import type { Store } from '../../store/store.ts'
import { followFile } from './follow-file.ts'

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

const HINT = 'Without it what is encrypted cannot be read.'

/** The rules of a file, with every provider started. */
async function openRules(file: string, text: string, deps: EncryptionDeps): Promise<Rule[]> {
  let rules: Rule[] = []
  try {
    rules = await readEncryption(text, deps)
    await Promise.all(providersOf(rules).map(each => each.start?.()))
    return rules
  } catch (cause) {
    closeRules(rules)
    throw new UserError(`${file}: ${(cause as Error).message}`, HINT, { cause })
  }
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new UserError(`${file}: ${(cause as Error).message}`, HINT, { cause })
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
  const known = readText(file)
  let rules = await openRules(file, known, deps)
  const encrypted = encryptedStore(store, rules)
  let isClosed = false
  const end = followFile({ file, what: 'the encryption of the store', known, ...deps }, async text => {
    const next = await openRules(file, text, deps)
    if (isClosed) return closeRules(next)
    encrypted.setRules(next)
    closeRules(rules)
    rules = next
  })
  return {
    store: encrypted,
    checks: [
      {
        name: 'kms-providers',
        check() {
          for (const provider of providersOf(rules)) {
            const problem = provider.problem?.()
            if (problem) throw new Error(problem)
          }
        },
      },
    ],
    close() {
      isClosed = true
      end()
      closeRules(rules)
    },
  }
}
