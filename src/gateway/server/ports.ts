/** The two ports of the gateway: taken while something is served, and given back. */
import type { Socket } from 'node:net'
import { type Listening, whyNoPort } from '../../lib/listen.ts'

export interface PortWish {
  readonly port: number
  /** Taken instead where the system keeps `port` for root. */
  readonly instead?: number
}

/** Listens for the machine's clients. Rejects with an error that has a `code`. */
export type Listen = (port: number, onConnection: (socket: Socket) => void) => Promise<Listening>

export interface Port {
  /** The number that is listened on, or that could not be had. */
  number(): number
  isOpen(): boolean
  /** In words for people; undefined: it is listened on, or nobody asked yet. */
  why(): string | undefined
  /** What listened has failed and is being started anew. */
  isBroken(): boolean
  /** Takes it, unless it is taken. */
  open(): Promise<void>
  close(): void
}

/** Makes a port that is not taken yet. */
export function createPort(wish: PortWish, listen: Listen, onConnection: (socket: Socket) => void): Port {
  let listening: Listening | undefined
  let failed: string | undefined

  const tryPort = async (port: number) => {
    listening = await listen(port, onConnection)
    failed = undefined
  }
  return {
    number: () => listening?.port ?? wish.port,
    isOpen: () => listening !== undefined,
    why: () => failed,
    isBroken: () => false,
    async open() {
      if (listening) return
      try {
        await tryPort(wish.port).catch(error => {
          if ((error as NodeJS.ErrnoException).code !== 'EACCES' || wish.instead === undefined) throw error
          return tryPort(wish.instead)
        })
      } catch (error) {
        failed = whyNoPort(error)
      }
    },
    close() {
      listening?.close()
      listening = undefined
      failed = undefined
    },
  }
}
