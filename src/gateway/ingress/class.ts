/** Which Ingresses are ours: those of a class whose controller this is (API doc: networking/v1 IngressClass). */
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import { IngressClass } from '../../api/kinds/networking/ingress-class.ts'
import { type Client, hasReason } from '../../client/client.ts'

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

/** A cluster has a class from the start, which is the default where there is no other; what people make of it stays. */
export async function ensureClass(client: Client): Promise<void> {
  const classes = client.kind<IngressClass>(IngressClass)
  if (await classes.find({ name: CLASS })) return
  const hasDefault = (await classes.listAll()).some(({ metadata }) => metadata?.annotations?.[DEFAULT] === 'true')
  await classes
    .create({
      apiVersion: IngressClass.apiVersion,
      kind: IngressClass.kind,
      metadata: { name: CLASS, ...(!hasDefault && { annotations: { [DEFAULT]: 'true' } }) },
      spec: { controller: CONTROLLER },
    })
    .catch(error => {
      if (!hasReason(error, 'AlreadyExists')) throw error
    })
}
