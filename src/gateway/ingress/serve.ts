/**
 * Serves Ingresses: follows them, their classes and what they name, keeps the table of routes, takes the ports while
 * there is anything to serve, and tells each Ingress where it is served and what is wrong. Loaded with the first one.
 */
import { Ingress } from '../../api/kinds/networking/ingress.ts'
import { IngressClass } from '../../api/kinds/networking/ingress-class.ts'
import { createEventRecorder } from '../../client/event-recorder.ts'
import { createWatchedObjects } from '../../client/watched-objects.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { workOff } from '../../control/work-off.ts'
import { within } from '../../lib/clock.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { followTargets } from '../backends/follow.ts'
import { createCertificates } from '../certificates/certificates.ts'
import { differences } from '../entries.ts'
import type { GatewayOptions } from '../gateway.ts'
import type { Route } from '../routing/route.ts'
import { CONTROLLER, classOf, parameterProblems } from './class.ts'
import { compile, type Problem } from './compile.ts'
import { problemEvents } from './events.ts'
import { missing, servicesOf } from './missing.ts'

/** Requests under way have this long when the gateway ends, in ms. */
const DRAIN_MS = 5_000
/** The API server may have gone already, in ms. */
const LAST_WORD_MS = 2_000
/** Everything is looked at as one. */
const ALL = 'ingresses'

/** Serves until `signal` aborts; resolves when what was under way has ended. */
export async function serveIngresses(options: GatewayOptions, signal: AbortSignal): Promise<void> {
  const { client, informers, services, clock, logger, role } = options
  const ingresses = informers.of<Ingress>(Ingress)
  const classes = informers.of<IngressClass>(IngressClass)
  await Promise.all([ingresses.synced(), classes.synced()])
  const queue = createWorkQueue<string>(clock, { backOff: 250, backOffMax: 30_000 })
  const wake = () => queue.add(ALL)
  const watched = createWatchedObjects(client, { clock, logger }, signal)
  const certificates = createCertificates(watched, wake)
  const events = createEventRecorder(client.transport, { component: 'ingress-controller' }, { clock, logger }, signal)
  const isOurs = (ingress: Ingress) => {
    const name = classOf(ingress)
    return name !== undefined && classes.get(name)?.spec?.controller === CONTROLLER
  }
  const dataPlane = await options.openDataPlane({
    changed: wake,
    failed(why) {
      wake()
      for (const ingress of ingresses.list().filter(isOurs))
        events.event(ingress, 'Warning', 'GatewayFailed', `what carries requests failed and is started anew: ${why}`)
    },
  })
  const targets = followTargets(services, endpoints => dataPlane.apply({ endpoints }))
  const routesBefore = differences<Route>()
  const shownBefore = differences<KeyPair>()
  const { plain, secure } = dataPlane
  const tell = problemEvents(events)
  /** Services that Ingresses name, as they were last looked at. */
  let named = new Map<string, unknown>()

  function portProblems(ours: readonly Ingress[]): Problem[] {
    return ours.flatMap(ingress =>
      (ingress.spec?.tls?.length ? [plain, secure] : [plain]).flatMap(port => {
        const why = port.why()
        const advice = `. Take another one: tutti down, then tutti up ${port === plain ? '--http-port 8880' : '--https-port 8443'}`
        const message = `port ${port.number()} of ${role.machine}: ${why}${port.isBroken() ? '' : advice}`
        return why === undefined ? [] : [{ ingress, reason: 'PortNotAvailable', message }]
      }),
    )
  }

  async function work() {
    const ours = ingresses.list().filter(isOurs)
    const compiled = compile(ours)
    // As one: no route is without the endpoints of its target between.
    dataPlane.apply({
      endpoints: targets.use([...compiled.routes.values()].flatMap(({ target }) => target ?? [])),
      routes: routesBefore(compiled.routes),
    })
    certificates.use(compiled.certificates)
    named = new Map(ours.flatMap(servicesOf).map(key => [key, services.service(key)]))
    await certificates.synced()
    dataPlane.apply({ certificates: shownBefore(certificates.shown()) })
    for (const port of [plain, secure]) {
      if (ours.length) await port.open()
      else port.close()
    }
    const problems = () => [
      ...compiled.problems,
      ...ours.flatMap(ingress => missing(ingress, services.service)),
      ...certificates.problems(),
      ...ours.flatMap(ingress => parameterProblems(ingress, classes.get(classOf(ingress) ?? ''))),
    ]
    tell([...(role.leads ? problems() : []), ...portProblems(ours)])
    await role.tell(ours, ingresses.list(), dataPlane)
  }

  const ends = [
    ingresses.onChange(wake),
    classes.onChange(wake),
    role.follow(wake),
    services.follow(key => {
      if (named.has(key) && named.get(key) !== services.service(key)) wake()
    }),
  ]
  await workOff(queue, { work, what: 'key', problem: 'Ingresses could not be cared for', logger }, signal)
  for (const end of ends) end()
  certificates.close()
  targets.close()
  const said = role.end().catch(error => logger.debug({ err: error }, 'what this machine said of Ingresses stays'))
  await within(clock, LAST_WORD_MS, said)
  await dataPlane.close(DRAIN_MS)
}
