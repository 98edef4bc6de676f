/** iSCSI volumes (k8s.io/kubernetes `pkg/apis/core/validation`: validateISCSIPersistentVolumeSource). */
import type { ISCSIPersistentVolumeSource } from '../../generated/types/core-v1.ts'
import { invalid, required } from '../../machinery/field-error.ts'
import type { Errors } from '../rules.ts'

/** Names of targets and initiators, by what they begin with. */
const FORMATS: readonly (readonly [string, RegExp])[] = [
  ['iqn', /iqn\.\d{4}-\d{2}\.[0-9A-Za-z.-]+:[^,;*&$|\s]+$/],
  ['eui', /^eui.[0-9A-Za-z]{16}$/],
  ['naa', /^naa.[0-9A-Za-z]{32}$/],
]
const NAME_MAX = 64
const LUN_MAX = 255

function checkName(name: string, path: string, errors: Errors): void {
  const format = FORMATS.find(([prefix]) => name.startsWith(prefix))
  if (!format?.[1].test(name)) errors.push(invalid(path, name, 'must be valid format'))
}

/** The name of a target or an initiator in a pod's volume, where the message says more. */
export function checkInitiator(name: string, path: string, errors: Errors): void {
  if (FORMATS.some(([prefix]) => name.startsWith(prefix))) checkName(name, path, errors)
  else errors.push(invalid(path, name, 'must be valid format starting with iqn, eui, or naa'))
}

export function checkLun(lun: number, path: string, errors: Errors): void {
  if (lun < 0 || lun > LUN_MAX) errors.push(invalid(path, lun, `must be between 0 and ${LUN_MAX}, inclusive`))
}

interface Session {
  readonly targetPortal?: string
  readonly initiatorName?: string
  readonly chapAuthDiscovery?: boolean
  readonly chapAuthSession?: boolean
  readonly secretRef?: object
}

/** What is wrong with the volume's name, which becomes a part of the initiator's name. */
export function nameProblem({ targetPortal = '', initiatorName }: Session, volume: string): string | undefined {
  if (initiatorName === undefined || `${volume}:${targetPortal}`.length <= NAME_MAX) return undefined
  return `Total length of <volume name>:<iscsi.targetPortal> must be under ${NAME_MAX} characters if iscsi.initiatorName is specified.`
}

/** Who has to show who it is needs a secret. */
export function checkChap({ chapAuthDiscovery, chapAuthSession, secretRef }: Session, path: string, errors: Errors) {
  if ((chapAuthDiscovery || chapAuthSession) && !secretRef) errors.push(required(`${path}.secretRef`))
}

/** `volume` is the name of the volume. */
export function checkIscsi(source: ISCSIPersistentVolumeSource, path: string, volume: string, errors: Errors): void {
  const { targetPortal = '', iqn, lun = 0, initiatorName, secretRef } = source
  if (!targetPortal) errors.push(required(`${path}.targetPortal`))
  const what = nameProblem(source, volume)
  if (what) errors.push(invalid(`${path}.targetportal`, targetPortal, what))
  if (iqn) checkName(iqn, `${path}.iqn`, errors)
  else errors.push(required(`${path}.iqn`))
  checkLun(lun, `${path}.lun`, errors)
  checkChap(source, path, errors)
  if (secretRef && !secretRef.name) errors.push(required(`${path}.secretRef.name`))
  if (initiatorName !== undefined) checkName(initiatorName, `${path}.initiatorname`, errors)
}
