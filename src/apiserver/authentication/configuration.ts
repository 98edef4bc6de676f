/** apiserver.config.k8s.io AuthenticationConfiguration: the shape of the file, and reading it. */
import { readConfiguration, type Shape } from '../configuration/read.ts'

export interface PrefixedClaimOrExpression {
  readonly claim?: string
  readonly prefix?: string
  readonly expression?: string
}

export interface ClaimValidationRule {
  readonly claim?: string
  readonly requiredValue?: string
  readonly expression?: string
  readonly message?: string
}

export interface Issuer {
  readonly url: string
  readonly discoveryURL?: string
  /** PEM. Default: the authorities that come with Node. */
  readonly certificateAuthority?: string
  readonly audiences: readonly string[]
  readonly audienceMatchPolicy?: string
  readonly egressSelectorType?: string
}

/** One issuer of tokens, and how its claims become a user. */
export interface JwtAuthenticator {
  readonly issuer: Issuer
  readonly claimValidationRules?: readonly ClaimValidationRule[]
  readonly claimMappings: {
    readonly username: PrefixedClaimOrExpression
    readonly groups?: PrefixedClaimOrExpression
    readonly uid?: { readonly claim?: string; readonly expression?: string }
    readonly extra?: readonly { readonly key: string; readonly valueExpression: string }[]
  }
  readonly userValidationRules?: readonly { readonly expression: string; readonly message?: string }[]
}

export interface AuthenticationConfiguration {
  readonly jwt?: readonly JwtAuthenticator[]
  readonly anonymous?: { readonly enabled: boolean; readonly conditions?: readonly { readonly path: string }[] }
}

const text = 'string'
const claim: Shape = { claim: text, prefix: text, expression: text }

const SHAPE: Shape = {
  jwt: [
    {
      issuer: {
        url: text,
        discoveryURL: text,
        certificateAuthority: text,
        audiences: [text],
        audienceMatchPolicy: text,
        egressSelectorType: text,
      },
      claimValidationRules: [{ claim: text, requiredValue: text, expression: text, message: text }],
      claimMappings: {
        username: claim,
        groups: claim,
        uid: { claim: text, expression: text },
        extra: [{ key: text, valueExpression: text }],
      },
      userValidationRules: [{ expression: text, message: text }],
    },
  ],
  anonymous: { enabled: 'boolean', conditions: [{ path: text }] },
}

/**
 * Reads the text of a file, YAML or JSON. Rejects with an Error that names the field for what does not belong there.
 * What the fields say is judged when the authenticators are made of it.
 */
export const readAuthenticationConfiguration = (file: string): Promise<AuthenticationConfiguration> =>
  readConfiguration<AuthenticationConfiguration>(file, 'AuthenticationConfiguration', SHAPE)
