/**
 * Programs that know proof for registries: `credential-providers.yaml` (kubelet.config.k8s.io/v1
 * CredentialProviderConfig) in a node's data folder, and the programs in `credential-providers/` beside it.
 */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { ProviderSettings } from '../../agent/pulls/provider.ts'
import { parseDuration } from '../../api/machinery/time.ts'
import { readConfiguration, type Shape } from '../../apiserver/configuration/read.ts'
import { wrongAt } from './fields.ts'

const GROUP = { group: 'kubelet.config.k8s.io', versions: ['v1', 'v1beta1', 'v1alpha1'] }
const SPOKEN = ['v1', 'v1beta1', 'v1alpha1'].map(version => `credentialprovider.kubelet.k8s.io/${version}`)

interface Provider {
  readonly name?: string
  readonly apiVersion?: string
  readonly matchImages?: readonly string[]
  readonly defaultCacheDuration?: string
  readonly args?: readonly string[]
  readonly env?: readonly { readonly name?: string; readonly value?: string }[]
}

/** tokenAttributes are not built: with them a provider would be asked without what it needs. */
const SHAPE: Shape = {
  providers: [
    {
      name: 'string',
      apiVersion: 'string',
      matchImages: ['string'],
      defaultCacheDuration: 'string',
      args: ['string'],
      env: [{ name: 'string', value: 'string' }],
    },
  ],
}

/** One provider whose program is in `folder`. Throws an Error that names what is wrong with it. */
function settingsOf(provider: Provider, folder: string): ProviderSettings {
  const { name = '', apiVersion = '', matchImages = [], defaultCacheDuration, args = [], env = [] } = provider
  if (name === '' || /[/\s]|^\.\.?$/.test(name))
    throw new Error(`name: ${JSON.stringify(name)} is no name of a program`)
  if (!SPOKEN.includes(apiVersion))
    throw new Error(`apiVersion: ${JSON.stringify(apiVersion)} must be one of ${SPOKEN.join(', ')}`)
  if (matchImages.length === 0) throw new Error('matchImages: at least one is required')
  const wrong = matchImages.find(each => !/^[\w*.-]+(:\d+)?(\/[\w./-]*)?$/.test(each))
  if (wrong !== undefined)
    throw new Error(`matchImages: ${JSON.stringify(wrong)} is no registry like *.example.com/team`)
  if (defaultCacheDuration === undefined) throw new Error('defaultCacheDuration: a time like 10m is required')
  const defaultCacheMs = parseDuration(defaultCacheDuration)
  if (defaultCacheMs < 0) throw new Error(`defaultCacheDuration: ${defaultCacheDuration} must not be negative`)
  const program = join(folder, name)
  try {
    accessSync(program, constants.X_OK)
  } catch {
    throw new Error(`there is no program ${program}`)
  }
  const variables = Object.fromEntries(env.map(({ name: key = '', value = '' }) => [key, value]))
  return { name, program, apiVersion, args, env: variables, matchImages, defaultCacheMs }
}

/** Reads the file in `dataDir`; none where there is no file. Rejects with `UserError` that names it and what is wrong. */
export async function loadCredentialProviders(dataDir: string): Promise<readonly ProviderSettings[]> {
  const file = join(dataDir, 'credential-providers.yaml')
  if (!existsSync(file)) return []
  const folder = join(dataDir, 'credential-providers')
  try {
    const text = readFileSync(file, 'utf8')
    const read = await readConfiguration<{ readonly providers?: readonly Provider[] }>(
      text,
      'CredentialProviderConfig',
      SHAPE,
      GROUP,
    )
    const { providers = [] } = read
    if (providers.length === 0) throw new Error('providers: at least one is required')
    const names = providers.map(({ name }) => name)
    const twice = names.find((name, at) => names.indexOf(name) !== at)
    if (twice !== undefined) throw new Error(`providers: ${JSON.stringify(twice)} stands there twice`)
    return providers.map((provider, at) => {
      try {
        return settingsOf(provider, folder)
      } catch (cause) {
        throw new Error(`providers[${at}].${(cause as Error).message}`, { cause })
      }
    })
  } catch (cause) {
    throw wrongAt(file, cause, 'images.md')
  }
}
