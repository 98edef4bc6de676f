/** Which Ingresses are ours: those of a class whose controller this is (API doc: networking/v1 IngressClass). */
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { IngressClass } from '../../api/kinds/networking/ingress-class.ts'
import type { Client } from '../../client/client.ts'
import { ensureClass } from '../../control/ensure-class.ts'
import type { Problem } from './compile.ts'

/** Of IngressClasses whose Ingresses are served here. */
export const CONTROLLER = 'tutti.dev/ingress-controller'
/** The class that a cluster has from the start. */
const CLASS = 'tutti'
const DEFAULT = 'ingressclass.kubernetes.io/is-default-class'
/** How Ingresses named their class before there were IngressClasses. */
const OLD_ANNOTATION = 'kubernetes.io/ingress.class'

/** The class that an Ingress names; undefined where it names none. */
export const classOf = ({ metadata, spec }: Ingress): string | undefined =>
  spec?.ingressClassName ?? metadata?.annotations?.[OLD_ANNOTATION]

/** Parameters of a class, which this controller knows none of. */
export function parameterProblems(ingress: Ingress, { metadata, spec }: IngressClass = {}): Problem[] {
  const { kind, name } = spec?.parameters ?? {}
  const message = `the parameters of class ${metadata?.name} (${kind} ${name}) mean nothing here`
  return kind === undefined ? [] : [{ ingress, reason: 'ParametersIgnored', message }]
}

/** A cluster has a class from the start, which is the default where there is no other. */
export const ensureIngressClass = (client: Client): Promise<void> =>
  ensureClass<IngressClass>(
    client.kind(IngressClass),
    {
      apiVersion: IngressClass.apiVersion,
      kind: IngressClass.kind,
      metadata: { name: CLASS },
      spec: { controller: CONTROLLER },
    },
    DEFAULT,
  )
