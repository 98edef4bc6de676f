/** Rules of CertificateSigningRequest: what may be asked for, and who may say what in its status. */
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition as Condition,
} from '../../generated/types/certificates-v1.ts'
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../machinery/field-error.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isDns1123Label, isDns1123Subdomain } from '../../machinery/names.ts'
import { base64Text, pemBlocks } from '../../machinery/pem.ts'
import { check, type Errors } from '../rules.ts'

const LEGACY_SIGNER = 'kubernetes.io/legacy-unknown'
const MIN_SECONDS = 600
const SUBDOMAIN_LIMIT = 253

const USAGES = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]

function checkSignerName(name: string, at: string, errors: Errors): void {
  if (!name) {
    errors.push(required(at))
    return
  }
  const [domain = '', path, more] = name.split('/')
  if (path === undefined || more !== undefined) {
    const form = "must be a fully qualified domain and path of the form 'example.com/signer-name'"
    errors.push(invalid(at, name, form))
    return
  }
  if (domain.length > SUBDOMAIN_LIMIT) errors.push(tooLong(at, SUBDOMAIN_LIMIT))
  const labels = domain.split('.')
  firstFault(labels, isDns1123Label, domain)
  if (labels.length < 2)
    errors.push(invalid(at, domain, 'should be a domain with at least two segments separated by dots'))
  firstFault(path.split('.'), isDns1123Subdomain, path)
  const limit = SUBDOMAIN_LIMIT + 1 + 63 + 1 + SUBDOMAIN_LIMIT
  if (name.length > limit) errors.push(tooLong(at, limit))

  function firstFault(parts: readonly string[], fault: (part: string) => readonly string[], whole: string) {
    const bad = parts.find(part => fault(part).length > 0)
    if (bad === undefined) return
    for (const text of fault(bad)) errors.push(invalid(at, whole, `validating label ${JSON.stringify(bad)}: ${text}`))
  }
}

function checkUsages(usages: readonly string[], at: string, errors: Errors): void {
  if (!usages.length) errors.push(required(at))
  for (const [i, usage] of usages.entries())
    if (!USAGES.includes(usage)) errors.push(notSupported(`${at}[${i}]`, usage, USAGES))
  for (const [i, usage] of usages.entries()) if (usages.indexOf(usage) < i) errors.push(duplicate(`${at}[${i}]`, usage))
}

/** The request itself is read by the server: this has no cryptography. */
function checkSpec({ spec }: CertificateSigningRequest, errors: Errors, old?: CertificateSigningRequest): void {
  // It cannot change any more.
  if (old || !spec) return
  if (pemBlocks(base64Text(spec.request))[0]?.label !== 'CERTIFICATE REQUEST')
    errors.push(invalid('spec.request', spec.request, 'PEM block type must be CERTIFICATE REQUEST'))
  checkUsages(spec.usages ?? [], 'spec.usages', errors)
  if (spec.signerName === LEGACY_SIGNER)
    errors.push(
      invalid('spec.signerName', spec.signerName, 'the legacy signerName is not allowed via this API version'),
    )
  else checkSignerName(spec.signerName, 'spec.signerName', errors)
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < MIN_SECONDS)
    errors.push(
      invalid(
        'spec.expirationSeconds',
        spec.expirationSeconds,
        'may not specify a duration less than 600 seconds (10 minutes)',
      ),
    )
}

const DECISIONS = ['Approved', 'Denied']
/** Conditions that are true or not there. */
const TRUE_ONLY = [...DECISIONS, 'Failed']

const conditionsOf = (request: CertificateSigningRequest | undefined) => request?.status?.conditions ?? []
const ofType = (type: string, request: CertificateSigningRequest | undefined) =>
  conditionsOf(request).filter(one => one.type === type)

function checkCondition({ type, status }: Condition, at: string, errors: Errors): void {
  if (!type) errors.push(required(`${at}.type`))
  const values = TRUE_ONLY.includes(type) ? ['True'] : ['False', 'True', 'Unknown']
  if (!status) errors.push(required(`${at}.status`))
  else if (!values.includes(status)) errors.push(notSupported(`${at}.status`, status, values))
}

function checkConditions(next: CertificateSigningRequest, errors: Errors): void {
  const at = 'status.conditions'
  const seen = new Set<string>()
  for (const [i, condition] of conditionsOf(next).entries()) {
    const { type } = condition
    checkCondition(condition, `${at}[${i}]`, errors)
    const other = DECISIONS.find(one => one !== type)!
    if (DECISIONS.includes(type) && seen.has(other))
      errors.push(invalid(at, type, 'Approved and Denied conditions are mutually exclusive'))
    if (seen.has(type)) errors.push(duplicate(`${at}[${i}].type`, type))
    seen.add(type)
  }
}

function checkCertificate({ status }: CertificateSigningRequest, errors: Errors): void {
  if (!status?.certificate) return
  const fault = (text: string) => errors.push(invalid('status.certificate', '<certificate data>', text))
  const blocks = pemBlocks(base64Text(status.certificate))
  if (!blocks.length) fault('must contain at least one CERTIFICATE PEM block')
  for (const { label, headers } of blocks) {
    if (label !== 'CERTIFICATE')
      return void fault(`only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(label)}`)
    if (headers) return void fault('no PEM block headers are permitted')
  }
}

/** Conditions stay, decisions are made through `approval`, the certificate is set once through `status`. */
const checkChanges: Rule<CertificateSigningRequest> = (next, old, { subresource }) => {
  if (!old) return []
  const errors: Errors = []
  const at = 'status.conditions'
  for (const type of TRUE_ONLY)
    if (ofType(type, next).length < ofType(type, old).length)
      errors.push(forbidden(at, `updates may not remove a condition of type ${JSON.stringify(type)}`))
  for (const type of subresource === 'approval' ? [] : DECISIONS) {
    if (ofType(type, next).length > ofType(type, old).length)
      errors.push(forbidden(at, `updates may not add a condition of type ${JSON.stringify(type)}`))
  }
  const [before, now] = [old.status?.certificate ?? '', next.status?.certificate ?? '']
  if (before && before !== now)
    errors.push(forbidden('status.certificate', 'updates may not modify existing certificate content'))
  return errors
}

export const certificateSigningRequestRules: readonly Rule<CertificateSigningRequest>[] = [
  check(checkSpec),
  check(checkConditions),
  check(checkCertificate),
  checkChanges,
]
