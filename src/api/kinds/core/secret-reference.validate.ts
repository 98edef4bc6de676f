/** References to secrets in other namespaces, and names of CSI drivers. */
import { required, tooLong } from '../../machinery/field-error.ts'
import { isDns1123Subdomain } from '../../machinery/names.ts'
import { checkFormat, checkLabelName, checkSubdomain, type Errors } from '../rules.ts'

interface SecretReference {
  readonly name?: string
  readonly namespace?: string
}

/** Both must be there. */
export function checkSecretPresent(secret: SecretReference | undefined, path: string, errors: Errors): void {
  if (!secret) return
  if (!secret.name) errors.push(required(`${path}.name`))
  if (!secret.namespace) errors.push(required(`${path}.namespace`))
}

/** Both must be there and be good names. */
export function checkSecretReference(secret: SecretReference | undefined, path: string, errors: Errors): void {
  if (!secret) return
  if (secret.name) checkSubdomain(secret.name, `${path}.name`, errors)
  else errors.push(required(`${path}.name`))
  if (secret.namespace) checkLabelName(secret.namespace, `${path}.namespace`, errors)
  else errors.push(required(`${path}.namespace`))
}

const DRIVER_MAX = 63

/** The name of a CSI driver: a subdomain in any case. */
export function checkDriverName(driver: string | undefined, path: string, errors: Errors): void {
  if (!driver) return void errors.push(required(path))
  if (driver.length > DRIVER_MAX) errors.push(tooLong(path, DRIVER_MAX))
  checkFormat(isDns1123Subdomain(driver.toLowerCase()), driver, path, errors)
}
