/**
 * Serves Ingresses: follows them, their classes and what they name, keeps the table of routes, takes the ports while
 * there is anything to serve, and tells each Ingress where it is served and what is wrong. Loaded with the first one.
 */
import { Ingress } from '../../api/kinds/networking/ingress.ts'
import { IngressClass } from '../../api/kinds/networking/ingress-class.ts'
import { createEventRecorder } from '../../client/event-recorder.ts'
import { keyOf } from '../../client/informer-types.ts'
import { createWatchedObjects } from '../../client/watched-objects.ts'
import { createWorkQueue } from '../../client/work-queue.ts'
import { workOff } from '../../control/work-off.ts'
import type { KeyPair } from '../../lib/pki/certificate.ts'
import { followTargets } from '../backends/follow.ts'
import { createCertificates } from '../certificates/certificates.ts'
import { differences } from '../entries.ts'
import type { GatewayOptions } from '../gateway.ts'
import type { Route } from '../routing/route.ts'
import { CONTROLLER, classOf } from './class.ts'
import { compile, type Problem } from './compile.ts'
import { problemEvents } from './events.ts'
import { missing, servicesOf } from './missing.ts'
import { statusOf, writeStatus } from './status.ts'

/** Requests under way have this long when the gateway ends, in ms. */
const DRAIN_MS = 3_000
/** Everything is looked at as one. */
const ALL = 'ingresses'

/** Serves until `signal` aborts; resolves when what was under way has ended. */
export async function serveIngresses(options: GatewayOptions, signal: AbortSignal): Promise<void> {
  const { client, informers, services, clock, logger, address } = options
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
  const place = { address, plain, secure }
  const tell = problemEvents(events)
  /** Services that Ingresses name, as they were last looked at. */
  let named = new Map<string, unknown>()
  let served = new Set<string>()

  function portProblems(ours: readonly Ingress[]): Problem[] {
    return ours.flatMap(ingress =>
      (ingress.spec?.tls?.length ? [plain, secure] : [plain]).flatMap(port => {
        const why = port.why()
        const advice = `. Take another one: tutti down, then tutti up ${port === plain ? '--http-port 8880' : '--https-port 8443'}`
        const message = `port ${port.number()} of this machine: ${why}${port.isBroken() ? '' : advice}`
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
    tell([
      ...compiled.problems,
      ...ours.flatMap(ingress => missing(ingress, services.service)),
      ...certificates.problems(),
      ...portProblems(ours),
    ])
    const before = served
    served = new Set(ours.map(keyOf))
    for (const ingress of ours) await writeStatus(client, ingress, statusOf(ingress, place))
    // Of those that are somebody else's now, what was said is taken back.
    for (const ingress of ingresses.list())
      if (before.has(keyOf(ingress)) && !served.has(keyOf(ingress))) await writeStatus(client, ingress, [])
  }

  const ends = [
    ingresses.onChange(wake),
    classes.onChange(wake),
    services.follow(key => {
      if (named.has(key) && named.get(key) !== services.service(key)) wake()
    }),
  ]
  await workOff(queue, { work, what: 'key', problem: 'Ingresses could not be cared for', logger }, signal)
  for (const end of ends) end()
  certificates.close()
  targets.close()
  await dataPlane.close(DRAIN_MS)
}
