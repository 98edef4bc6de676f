/** Probes and lifecycle hooks (k8s.io/kubernetes `pkg/apis/core/validation`: validateProbe, validateHandler). */
import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../generated/types/core-v1.ts'
import { forbidden, invalid, required } from '../../machinery/field-error.ts'
import type { IntOrString } from '../../machinery/int-or-string.ts'
import { isHttpHeaderName, isPortName, isPortNumber } from '../../machinery/names.ts'
import type { Errors } from '../rules.ts'
import { checkEnum, checkFormat, checkNonNegative } from '../rules.ts'

interface Handler {
  exec?: ExecAction
  httpGet?: HTTPGetAction
  tcpSocket?: TCPSocketAction
  grpc?: GRPCAction
  sleep?: SleepAction
}

export function checkPort(port: IntOrString | undefined, path: string, errors: Errors): void {
  if (typeof port === 'string') checkFormat(isPortName(port), port, path, errors)
  else checkFormat(isPortNumber(port ?? 0), port ?? 0, path, errors)
}

function checkHttpGet(get: HTTPGetAction, path: string, errors: Errors): void {
  checkPort(get.port, `${path}.port`, errors)
  checkEnum(get.scheme, ['HTTP', 'HTTPS'], `${path}.scheme`, errors)
  for (const { name } of get.httpHeaders ?? []) checkFormat(isHttpHeaderName(name), name, `${path}.httpHeaders`, errors)
}

function checkSleep({ seconds }: SleepAction, grace: number, path: string, errors: Errors): void {
  if (seconds >= 0 && seconds <= grace) return
  const wanted = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`
  errors.push(invalid(path, seconds, wanted))
}

/** Exactly one kind of action. `grace` is the pod's termination grace period in seconds. */
function checkHandler(handler: Handler, grace: number, path: string, errors: Errors): void {
  let count = 0
  const first = (field: keyof Handler) => {
    if (!handler[field]) return false
    if (count++ === 0) return true
    errors.push(forbidden(`${path}.${field}`, 'may not specify more than 1 handler type'))
    return false
  }
  if (first('exec') && !handler.exec!.command?.length) errors.push(required(`${path}.exec.command`))
  if (first('httpGet')) checkHttpGet(handler.httpGet!, `${path}.httpGet`, errors)
  if (first('tcpSocket')) checkPort(handler.tcpSocket!.port, `${path}.tcpSocket.port`, errors)
  if (first('grpc')) checkPort(handler.grpc!.port, `${path}.grpc.port`, errors)
  if (first('sleep')) checkSleep(handler.sleep!, grace, `${path}.sleep`, errors)
  if (count === 0) errors.push(required(path, 'must specify a handler type'))
}

const NUMBERS = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function checkProbe(probe: Probe, grace: number, path: string, errors: Errors): void {
  checkHandler(probe, grace, path, errors)
  for (const field of NUMBERS) checkNonNegative(probe[field], `${path}.${field}`, errors)
  const own = probe.terminationGracePeriodSeconds
  if (own !== undefined && own <= 0) {
    errors.push(invalid(`${path}.terminationGracePeriodSeconds`, own, 'must be greater than 0'))
  }
}

interface Probed {
  livenessProbe?: Probe
  readinessProbe?: Probe
  startupProbe?: Probe
}

/** The probes of one container. */
export function checkProbes(container: Probed, grace: number, path: string, errors: Errors): void {
  const { livenessProbe, readinessProbe, startupProbe } = container
  if (livenessProbe) {
    checkProbe(livenessProbe, grace, `${path}.livenessProbe`, errors)
    checkOneSuccess(livenessProbe, `${path}.livenessProbe`, errors)
  }
  if (readinessProbe) {
    checkProbe(readinessProbe, grace, `${path}.readinessProbe`, errors)
    const own = readinessProbe.terminationGracePeriodSeconds
    if (own !== undefined) {
      const at = `${path}.readinessProbe.terminationGracePeriodSeconds`
      errors.push(invalid(at, own, 'must not be set for readinessProbes'))
    }
  }
  if (startupProbe) {
    checkProbe(startupProbe, grace, `${path}.startupProbe`, errors)
    checkOneSuccess(startupProbe, `${path}.startupProbe`, errors)
  }
}

function checkOneSuccess({ successThreshold = 1 }: Probe, path: string, errors: Errors): void {
  if (successThreshold !== 1) errors.push(invalid(`${path}.successThreshold`, successThreshold, 'must be 1'))
}

/** The hooks of one container. `os` is the pod's spec.os.name. */
export function checkLifecycle(
  lifecycle: Lifecycle | undefined,
  grace: number,
  os: string | undefined,
  path: string,
  errors: Errors,
): void {
  if (!lifecycle) return
  if (lifecycle.postStart) checkHandler(lifecycle.postStart, grace, `${path}.postStart`, errors)
  if (lifecycle.preStop) checkHandler(lifecycle.preStop, grace, `${path}.preStop`, errors)
  if (!lifecycle.stopSignal) return
  const at = `${path}.stopSignal`
  if (!os) errors.push(forbidden(at, 'may not be set for containers with empty `spec.os.name`'))
  else if (os === 'windows') checkEnum(lifecycle.stopSignal, ['SIGKILL', 'SIGTERM'], at, errors)
  else if (!/^SIG[A-Z]+[0-9]*([+-][0-9]+)?$/.test(lifecycle.stopSignal)) {
    errors.push(invalid(at, lifecycle.stopSignal, 'must be the name of a signal, such as SIGTERM'))
  }
}
