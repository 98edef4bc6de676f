/**
 * The two ends of what is measured between two pods, each a process of its own in a pod's network:
 * `node bench/lib/traffic.ts serve ADDRESS` sends without end to who says `s`, and closes at once to others;
 * `node bench/lib/traffic.ts ask` reads a question a line, a `Question` as JSON, and answers with a number a line.
 */
import { connect, createServer, type Socket } from 'node:net'
import { createInterface } from 'node:readline'

export interface Question {
  /** Bytes a second of one connection, or connections a second that are opened, answered and closed. */
  readonly what: 'stream' | 'connections'
  readonly host: string
  readonly port: number
  /** For how long. */
  readonly ms: number
}

/** Connections that are opened side by side. */
const WIDTH = 8

function serve(host: string): void {
  const chunk = Buffer.alloc(1 << 18)
  createServer(socket => {
    const write = () => {
      while (socket.write(chunk));
    }
    socket.on('error', () => {})
    socket.once('data', said => {
      if (String(said) !== 's') return socket.end('.')
      write()
      return socket.on('drain', write)
    })
  }).listen(8080, host, 1024, () => console.log('serving'))
}

function stream({ host, port, ms }: Question): Promise<number> {
  return new Promise((resolve, reject) => {
    let bytes = 0
    let began = 0
    const socket: Socket = connect({ host, port }, () => socket.write('s')).on('error', reject)
    socket.on('data', data => {
      // The first moment belongs to the start of the connection.
      if (began === 0) {
        began = -1
        setTimeout(() => {
          began = performance.now()
        }, 20)
      } else if (began > 0) bytes += data.length
      const took = performance.now() - began
      if (began <= 0 || took < ms) return
      socket.destroy()
      resolve((bytes / took) * 1000)
    })
  })
}

async function connections({ host, port, ms }: Question): Promise<number> {
  const began = performance.now()
  let count = 0
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect({ host, port }, () => socket.write('c')).on('error', reject)
      socket.on('data', () => {}).on('close', () => resolve())
    })
  const inTurn = async () => {
    for (; performance.now() - began < ms; count++) await one()
  }
  await Promise.all(Array.from({ length: WIDTH }, inTurn))
  return (count / (performance.now() - began)) * 1000
}

const [role, address] = process.argv.slice(2)
if (role === 'serve') serve(address!)
if (role === 'ask')
  createInterface(process.stdin).on('line', async line => {
    const question = JSON.parse(line) as Question
    console.log(await (question.what === 'stream' ? stream : connections)(question))
  })
