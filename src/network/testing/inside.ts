/**
 * Runs in a network namespace of a test (`machine.ts`): serves and asks there, as its standard input says, a line of
 * JSON each. It ends with its input.
 */
import { createSocket } from 'node:dgram'
import { connect, createServer, isIPv6 } from 'node:net'
import { createInterface } from 'node:readline'

export interface ServeCommand {
  readonly op: 'serve'
  readonly protocol: 'tcp' | 'udp'
  readonly port: number
  readonly host?: string
  /** Said to everybody who comes, followed by the address from which they seem to come. */
  readonly say: string
}

export interface AskCommand {
  readonly op: 'ask'
  readonly protocol: 'tcp' | 'udp'
  readonly host: string
  readonly port: number
  /** Port from which is asked; 0: any. */
  readonly from: number
  /** Milliseconds after which there is no answer. */
  readonly within: number
}

type Command = (ServeCommand | AskCommand) & { readonly id: number }

const plain = (address = '') => address.replace(/^::ffff:/, '')

function serve({ protocol, port, host, say }: ServeCommand): Promise<string> {
  return new Promise((resolve, reject) => {
    if (protocol === 'tcp') {
      const server = createServer(socket => socket.on('error', () => {}).end(`${say} ${plain(socket.remoteAddress)}`))
      server.once('error', reject).listen({ port, host }, () => resolve('serving'))
      return
    }
    const socket = createSocket(isIPv6(host ?? '') ? 'udp6' : 'udp4')
    socket.on('message', (_, from) => socket.send(`${say} ${from.address}`, from.port, from.address))
    socket.once('error', reject).bind(port, host, () => resolve('serving'))
  })
}

function askTcp({ host, port, within }: AskCommand): Promise<string> {
  return new Promise(resolve => {
    const socket = connect({ host, port })
    let said = ''
    const timer = setTimeout(() => {
      socket.destroy()
      resolve('no answer')
    }, within)
    const finish = (answer: string) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', data => (said += data))
    socket.on('end', () => finish(said))
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
  })
}

function askUdp({ host, port, from, within }: AskCommand): Promise<string> {
  return new Promise(resolve => {
    const socket = createSocket({ type: isIPv6(host) ? 'udp6' : 'udp4', reuseAddr: true })
    const finish = (answer: string) => {
      clearTimeout(timer)
      socket.close()
      resolve(answer)
    }
    const timer = setTimeout(() => finish('no answer'), within)
    socket.on('message', message => finish(String(message)))
    socket.on('error', (error: NodeJS.ErrnoException) => finish(error.code ?? error.message))
    socket.bind(from, () => socket.connect(port, host, () => socket.send('?')))
  })
}

function carryOut(command: Command): Promise<string> {
  if (command.op === 'serve') return serve(command)
  return command.protocol === 'tcp' ? askTcp(command) : askUdp(command)
}

createInterface(process.stdin)
  .on('line', line => {
    const command = JSON.parse(line) as Command
    carryOut(command).then(
      answer => console.log(JSON.stringify({ id: command.id, answer })),
      error => console.log(JSON.stringify({ id: command.id, error: (error as Error).message })),
    )
  })
  .on('close', () => process.exit())
