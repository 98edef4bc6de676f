/** The gateway in a process of its own: `node bench/lib/gateway.ts BACKEND_PORT`; prints its ports as JSON. */
import { routeTo, startGateway } from '../../src/gateway/proxy/gateway.fixture.ts'
import { certificateOf } from './own-certificate.ts'

const backend = Number(process.argv[2])
const pair = await certificateOf('localhost')
const gateway = await startGateway([routeTo('web')], { '': pair })
gateway.services.set('web', [{ host: '127.0.0.1', port: backend }])
console.log(JSON.stringify({ port: gateway.port, securePort: gateway.securePort }))
// What listens does not keep a program.
setInterval(() => {}, 2 ** 31 - 1)
