/** Who was let in, what was allowed, what admission took: counted and timed under upstream's names. */
import type { Clock } from '../../lib/clock.ts'
import { counter, type Distribution, exponential, type Family, histogram } from '../../lib/metrics.ts'
import type { AuthenticationMeter } from '../filters/authentication.ts'
import type { AuthorizationMeter } from '../filters/authorization.ts'
import type { AdmissionMeter, AdmissionStep } from '../registry/admission-chain.ts'

export interface AccessMetrics {
  readonly authentication: AuthenticationMeter
  readonly authorization: AuthorizationMeter
  readonly admission: AdmissionMeter
  readonly families: readonly Family[]
}

const SECONDS = exponential(0.001, 2, 15)
const ADMISSION_SECONDS = [0.005, 0.025, 0.1, 0.5, 1, 2.5]

type Admitted = Map<string, readonly [passed: Distribution, refused: Distribution]>

/** As upstream: names of users are not for everyone to see, nor without number. */
function kindOfUser(name: string): string {
  if (name === 'kubernetes-admin' || name === 'admin') return 'admin'
  return name.startsWith('system:') ? name.split(':').slice(0, 2).join(':') : 'other'
}

/** Makes the counters, all zero. */
export function accessMetrics(clock: Clock): AccessMetrics {
  const attempts = counter('authentication_attempts', 'Authentication attempts by result.', ['result'])
  const users = counter('authenticated_user_requests', 'Authenticated requests by kind of user.', ['username'])
  const authentication = histogram('authentication_duration_seconds', 'Time of authentication.', ['result'], SECONDS)
  const decisions = counter('authorization_attempts_total', 'Authorization attempts by result.', ['result'])
  const authorization = histogram('authorization_duration_seconds', 'Time of authorization.', ['result'], SECONDS)
  const labels = ['type', 'operation', 'rejected']
  const steps = histogram(
    'apiserver_admission_step_admission_duration_seconds',
    'Time of a step of admission.',
    labels,
    ADMISSION_SECONDS,
  )
  const plugins = histogram(
    'apiserver_admission_controller_admission_duration_seconds',
    'Time of an admission plugin.',
    ['name', ...labels],
    ADMISSION_SECONDS,
  )
  const seconds = (start: number) => (clock.elapsed() - start) / 1000
  /** By step, then by operation, then by plugin; '' is the step itself. */
  const known = { mutate: new Map<string, Admitted>(), validate: new Map<string, Admitted>() }
  const admittedIn = (step: AdmissionStep, operation: string) => {
    let found = known[step].get(operation)
    if (!found) known[step].set(operation, (found = new Map()))
    return found
  }
  const make = (plugin: string, step: AdmissionStep, operation: string) => {
    const type = step === 'mutate' ? 'admit' : 'validate'
    const at = (rejected: string) =>
      plugin ? plugins.at(plugin, type, operation, rejected) : steps.at(type, operation, rejected)
    return [at('false'), at('true')] as const
  }
  return {
    families: [attempts, users, authentication, decisions, authorization, steps, plugins],
    authentication: {
      ended(start, user) {
        const result = user ? 'success' : 'failure'
        attempts.at(result).value++
        authentication.at(result).observe(start === undefined ? 0 : seconds(start))
        if (user) users.at(kindOfUser(user.name)).value++
      },
    },
    authorization: {
      now: clock.elapsed,
      decided({ allowed, error }, start) {
        const result = allowed ? 'allowed' : error ? 'error' : 'denied'
        decisions.at(result).value++
        authorization.at(result).observe(start === undefined ? 0 : seconds(start))
      },
    },
    admission: {
      begin(step, operation) {
        const start = clock.elapsed()
        let last = start
        const kept = admittedIn(step, operation)
        const observe = (name: string, refused: boolean, ms: number) => {
          let found = kept.get(name)
          if (!found) kept.set(name, (found = make(name, step, operation)))
          found[refused ? 1 : 0].observe(ms / 1000)
        }
        return {
          plugin(name, waited, refused) {
            const now = waited ? clock.elapsed() : last
            observe(name, refused, now - last)
            last = now
          },
          end: refused => observe('', refused, clock.elapsed() - start),
        }
      },
    },
  }
}
