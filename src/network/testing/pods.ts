/** What goes on inside of pods, for tests over a network that is up. */
import { type ChildProcess, spawn } from 'node:child_process'
import type { PodRequest } from '../pod-network/pod-network.ts'
import { run } from '../tools/command.ts'

/** What the agent asks for pod number `n`, which listens at 8080. */
export const podRequest = (n: number): PodRequest => ({
  namespace: 'default',
  name: `pod-${n}`,
  uid: `${String(n).padStart(8, '0')}-0000-4000-8000-000000000000`,
  hostname: `pod-${n}`,
  ports: [{ containerPort: 8080, protocol: 'TCP' }],
})

const inPod = async (netns: string, source: string) =>
  (await run('nsenter', [`--net=${netns}`, process.execPath, '-e', source])).trim()

/** Starts a server at 8080 that says `text`; resolves with its process, which is the caller's to end, when it listens. */
export async function serveInPod(netns: string, text: string): Promise<ChildProcess> {
  const source = `require('net').createServer(s => s.end(${JSON.stringify(text)})).listen(8080, () => console.log('up'))`
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', source], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise(resolve => child.stdout!.once('data', resolve))
  return child
}

/**
 * What a pod gets when it connects; an error's code, or nothing, otherwise. That nothing comes is known after a second
 * where it is expected (`silence`), and after a time that no answer takes elsewhere.
 */
export const askFromPod = (
  netns: string,
  host: string,
  port: number,
  { silence = false }: { silence?: boolean } = {},
): Promise<string> =>
  inPod(
    netns,
    `const s = require('net').connect(${port}, '${host}').on('data', d => console.log(String(d))).on('error', e => console.log(e.code)); s.setTimeout(${silence ? 1000 : 20_000}, () => s.destroy())`,
  )

/** What a pod gets from the cluster's DNS by a call of Node's resolver, as in `resolve4('web')`; an error's code otherwise. */
export const lookUpFromPod = (netns: string, call: string): Promise<string> =>
  inPod(
    netns,
    `const r = new (require('dns').promises.Resolver)({ timeout: 5000, tries: 4 }); r.setServers(['10.96.0.10']); r.${call}.then(a => console.log(a.join()), e => console.log(e.code))`,
  )
