/** Rules of ConfigMap and Secret: keys, size, and what a secret of a type must hold. */
import { Buffer } from 'node:buffer'
import type { ConfigMap, Secret } from '../../generated/types/core-v1.ts'
import { invalid, required, tooLong } from '../../machinery/field-error.ts'
import { jsonType } from '../../machinery/go-text.ts'
import { jsonProblem } from '../../machinery/json-strict.ts'
import type { Rule } from '../../machinery/kind.ts'
import { isConfigMapKey } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { check, checkFormat, frozenWhenImmutable, immutable } from '../rules.ts'

/** All values together. */
const MAX_SIZE = 1024 * 1024

/** Bytes of a string as UTF-8. Short strings are not worth encoding: three bytes for each code unit is the most. */
const textSize = (text: string, left: number) => (text.length * 3 < left ? text.length : Buffer.byteLength(text))
/** Bytes that base64 stands for. */
const decodedSize = (base64: string) => Math.floor((base64.replace(/=+$/, '').length * 3) / 4)

function checkKeys(data: Readonly<Record<string, string>>, path: string, errors: Errors): void {
  for (const key in data) checkFormat(isConfigMapKey(key), key, `${path}[${key}]`, errors)
}

function checkConfigMap({ data = {}, binaryData = {} }: ConfigMap, errors: Errors): void {
  checkKeys(data, 'data', errors)
  checkKeys(binaryData, 'binaryData', errors)
  let size = 0
  for (const key in data) {
    if (key in binaryData) errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'))
    size += textSize(data[key]!, MAX_SIZE - size)
  }
  for (const key in binaryData) size += decodedSize(binaryData[key]!)
  if (size > MAX_SIZE) errors.push(tooLong('[]', MAX_SIZE))
}

export const configMapRules: readonly Rule<ConfigMap>[] = [
  check(checkConfigMap),
  frozenWhenImmutable('data', 'binaryData'),
]

/** Keys that a secret of the type must have. */
const TYPES: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}
const BASIC_AUTH = ['username', 'password']

function checkJson(base64: string, path: string, errors: Errors): void {
  const text = Buffer.from(base64, 'base64').toString()
  const wrong = (why: string) => errors.push(invalid(path, '<secret contents redacted>', why))
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && !Array.isArray(value)) return
    wrong(`json: cannot unmarshal ${jsonType(value)} into Go value of type map[string]interface {}`)
  } catch (error) {
    wrong(jsonProblem(text, error as Error))
  }
}

function checkType({ type = '', data = {}, metadata }: Secret, errors: Errors): void {
  if (type === 'kubernetes.io/service-account-token') {
    const key = 'kubernetes.io/service-account.name'
    if (!metadata?.annotations?.[key]) errors.push(required(`metadata.annotations[${key}]`))
  } else if (type === 'kubernetes.io/basic-auth') {
    if (BASIC_AUTH.every(key => !(key in data))) errors.push(...BASIC_AUTH.map(key => required(`data[${key}]`)))
  }
  for (const key of Object.hasOwn(TYPES, type) ? TYPES[type]! : []) {
    const path = `data[${key}]`
    if (!(key in data) || (type === 'kubernetes.io/ssh-auth' && !data[key])) errors.push(required(path))
    else if (type.startsWith('kubernetes.io/dockerc')) checkJson(data[key]!, path, errors)
  }
}

function checkSecret(secret: Secret, errors: Errors): void {
  const { data = {} } = secret
  checkKeys(data, 'data', errors)
  let size = 0
  for (const key in data) size += decodedSize(data[key]!)
  if (size > MAX_SIZE) errors.push(tooLong('data', MAX_SIZE))
  checkType(secret, errors)
}

export const secretRules: readonly Rule<Secret>[] = [check(checkSecret), immutable('type'), frozenWhenImmutable('data')]
