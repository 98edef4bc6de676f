/**
 * Tells the machines of a segment that an address is here now: those that knew it elsewhere would go on sending there
 * until their own doubts begin, half a minute later.
 */
import { createSocket } from 'node:dgram'
import { familyOf, formatAddress, parseAddress } from '../../lib/ip-range.ts'

/** Discard (RFC 863). */
const PORT = 9

/**
 * Sends from the address to some beside it. Before it can, the kernel asks the whole segment who has those, and says who
 * asks: every machine that hears it corrects what it knew of the sender (RFC 826; RFC 4861, 7.2.3). Nobody need answer.
 * Never rejects.
 */
export async function tellNeighbours(address: string): Promise<void> {
  const family = familyOf(address)!
  const own = parseAddress(family, address)!
  const beside = [1n, 2n, 3n].map(bit => formatAddress(family, own ^ bit))
  const socket = createSocket(family === 'IPv4' ? 'udp4' : 'udp6')
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject)
      socket.bind({ address }, resolve)
    })
    const send = (to: string) => new Promise<void>(resolve => socket.send(Buffer.alloc(1), PORT, to, () => resolve()))
    await Promise.all(beside.map(send))
  } catch {
    // The address is gone again, or the network is: then there is nothing to tell.
  }
  socket.close()
}
