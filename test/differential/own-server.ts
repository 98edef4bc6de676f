/** Our API server with everything that belongs to it, in this process, behind a socket. */
import { generateKeyPairSync } from 'node:crypto'
import { kinds } from '../../src/api/kinds/all.ts'
import { extendServer } from '../../src/apiserver/bootstrap/extend.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { realClock } from '../../src/lib/clock.ts'
import { silent } from '../../src/lib/log.ts'
import { makeTrust } from '../../src/lib/pki/trust.fixture.ts'
import { memoryStore } from '../../src/store/memory/memory.ts'
import { version } from '../integration/api/start.ts'
import { COMPONENTS } from './generate/components.ts'

/** As the recorded server knows the one that asks. */
const ADMIN = { name: 'admin', uid: 'admin', groups: ['system:masters', 'system:authenticated'] }

export interface OwnServer {
  readonly url: string
  close(): Promise<void>
}

/** Starts one, without controllers, with the service network of the recorded server. */
export async function startOwnServer(): Promise<OwnServer> {
  const clock = realClock
  const store = memoryStore({ clock })
  const { server: own } = await makeTrust()
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const tokenKey = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const server = await createApiServer({
    store,
    kinds,
    clock,
    logger: silent,
    version,
    // There it comes at any time; the answers about them are recorded without.
    judgeFlowSchemas: false,
    extend: async registry => ({
      ...(await extendServer(registry, {
        clock,
        logger: silent,
        tokenKey,
        nodes: () => undefined,
        serviceCidr: '10.97.0.0/16',
        components: () => COMPONENTS,
        gatherRoles: false,
        // What quotas have used is counted by a controller there.
        admission: { disable: ['ResourceQuota'] },
      })),
      authenticators: [() => ADMIN],
    }),
  })
  const { port } = await server.listen({ hosts: ['127.0.0.1'], port: 0, tls: { key: own.key, cert: own.certificate } })
  return {
    url: `https://127.0.0.1:${port}`,
    async close() {
      await server.close()
      await store.close()
    },
  }
}
