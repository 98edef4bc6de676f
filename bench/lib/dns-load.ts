/** `node bench/lib/dns-load.ts ADDRESS PORT MS NAME…`: asks for the names in turn, 32 side by side; prints answers a second. */
import { createSocket } from 'node:dgram'
import packet from 'dns-packet'

const [address, port, ms, ...names] = process.argv.slice(2)
const queries = names.map((name, id) =>
  packet.encode({ type: 'query', id, flags: packet.RECURSION_DESIRED, questions: [{ type: 'A', name }] }),
)
const socket = createSocket('udp4')
let [sent, answered] = [0, 0]
const ask = () => socket.send(queries[sent++ % queries.length]!)
socket.on('message', () => {
  answered++
  ask()
})
socket.connect(Number(port), address!, () => {
  const began = performance.now()
  for (let n = 0; n < 32; n++) ask()
  setTimeout(() => {
    console.log((answered / (performance.now() - began)) * 1000)
    socket.close()
  }, Number(ms))
})
