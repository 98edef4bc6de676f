/** Names of nodes as they are typed. */
import { UserError } from './context.ts'

const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/

/** The name, where it can be one (RFC 1123 subdomain). Throws `UserError`. */
export function nodeNameOf(value: unknown): string {
  const name = String(value)
  if (!NAME.test(name))
    throw new UserError(
      `--node-name ${JSON.stringify(name)} must be lower-case letters, digits, '-' and '.', and begin and end with a letter or digit`,
    )
  return name
}
