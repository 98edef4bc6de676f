/**
 * What the gateway costs a request, beside a direct one and beside nginx as a proxy with one worker: requests a second,
 * latency, and the CPU of the proxy alone. Needs nginx, which is the backend as well, and wrk. `node bench/ingress.ts`.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, type Rate, type Row, sleep, table } from './lib/measure.ts'
import { certificateOf } from './lib/own-certificate.ts'
import { cpuMicros } from './lib/processes.ts'

const SECONDS = 5
const ROUNDS = 3
const folder = mkdtempSync(join(tmpdir(), 'bench-ingress-'))
const children: ChildProcess[] = []

for (const program of ['nginx', 'wrk']) {
  try {
    execFileSync('which', [program])
  } catch {
    console.log(`bench ingress: skipped, ${program} is not there`)
    process.exit(0)
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Starts nginx with one worker; resolves with the pid of that. */
async function startNginx(name: string, http: string): Promise<number> {
  const file = join(folder, `${name}.conf`)
  const log = join(folder, `${name}.log`)
  writeFileSync(
    file,
    `daemon off; master_process off; pid ${folder}/${name}.pid; error_log ${log};
     events { worker_connections 1024; }
     http { access_log off; keepalive_requests 1000000; client_body_temp_path ${folder}/${name}-body;
       proxy_temp_path ${folder}/${name}-proxy; fastcgi_temp_path ${folder}/${name}-f; uwsgi_temp_path ${folder}/${name}-u;
       scgi_temp_path ${folder}/${name}-s; ${http} }`,
  )
  const child = spawn('nginx', ['-c', file, '-e', log], { stdio: ['ignore', 'inherit', 'inherit'] })
  children.push(child)
  return child.pid!
}

const UNITS: Readonly<Record<string, number>> = { us: 0.001, ms: 1, s: 1000 }

/** Asks over so many connections, kept, for some seconds. */
async function load(url: string, connections: number, script?: string): Promise<Rate> {
  const args = ['-t1', `-c${connections}`, `-d${SECONDS}s`, '--latency', ...(script ? ['-s', script] : []), url]
  const child = spawn('wrk', args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', chunk => (text += chunk))
  await once(child, 'close')
  const time = (share: string) => {
    const [, value, unit] = new RegExp(`${share}%\\s+([\\d.]+)(us|ms|s)`).exec(text) ?? []
    return Number(value) * UNITS[unit ?? '']!
  }
  if (/Non-2xx|Socket errors/.test(text)) throw new Error(`${url}: ${text}`)
  return { perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)?.[1]), p50: time('50'), p99: time('99') }
}

const [backend, proxy, secureProxy] = [await freePort(), await freePort(), await freePort()]
const { certificate, key } = await certificateOf('localhost')
writeFileSync(join(folder, 'cert.pem'), certificate)
writeFileSync(join(folder, 'key.pem'), key)
writeFileSync(join(folder, 'large'), Buffer.alloc(1024 * 1024))
const post = join(folder, 'post.lua')
writeFileSync(post, `wrk.method = "POST"\nwrk.body = string.rep("x", 1024)\n`)
await startNginx(
  'backend',
  `server { listen 127.0.0.1:${backend} backlog=1024; location / { return 200 "hello\\n"; } location /large { root ${folder}; } }`,
)
const nginx = await startNginx(
  'proxy',
  `upstream web { server 127.0.0.1:${backend}; keepalive 64; keepalive_requests 1000000; }
   server { listen 127.0.0.1:${proxy} backlog=1024; listen 127.0.0.1:${secureProxy} ssl backlog=1024;
     ssl_certificate ${folder}/cert.pem; ssl_certificate_key ${folder}/key.pem;
     location / { proxy_pass http://web; proxy_http_version 1.1; proxy_set_header Connection "";
       proxy_set_header Host $http_host; proxy_set_header X-Real-Ip $remote_addr; } }`,
)
const gateway = spawn(process.execPath, [join(import.meta.dirname, 'lib/gateway.ts'), String(backend)], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
children.push(gateway)
const [line] = await once(gateway.stdout, 'data')
const own = JSON.parse(String(line)) as { port: number; securePort: number }
await sleep(500)

interface Who {
  readonly name: string
  readonly url: string
  readonly pid?: number
}

/** Everybody in turns, some rounds; the middle of each figure. */
async function compare(what: string, who: readonly Who[], connections: number, path = '', script?: string) {
  const found = new Map<string, (Rate & { readonly cpu: number })[]>()
  for (let round = 0; round < ROUNDS; round++)
    for (const { name, url, pid } of who) {
      const before = pid ? cpuMicros([pid]) : 0
      const rate = await load(`${url}${path}`, connections, script)
      const cpu = pid ? (cpuMicros([pid]) - before) / (rate.perSecond * SECONDS) : Number.NaN
      found.set(name, [...(found.get(name) ?? []), { ...rate, cpu }])
    }
  const figures = (pick: (rate: Rate & { readonly cpu: number }) => number) =>
    Object.fromEntries(
      [...found].map(([name, rates]) => [name, median(rates.map(pick))]).filter(([, value]) => !Number.isNaN(value)),
    ) as Record<string, number>
  const rows: Row[] = [
    { what, unit: '/s', figures: figures(rate => rate.perSecond) },
    { what: `${what}, p50`, unit: 'ms', figures: figures(rate => rate.p50), lessIsBetter: true },
    { what: `${what}, p99`, unit: 'ms', figures: figures(rate => rate.p99), lessIsBetter: true },
    { what: `${what}, CPU of the proxy`, unit: 'µs', figures: figures(rate => rate.cpu), lessIsBetter: true },
  ]
  return rows
}

try {
  const plain: Who[] = [
    { name: 'tutti', url: `http://127.0.0.1:${own.port}/`, pid: gateway.pid! },
    { name: 'nginx', url: `http://127.0.0.1:${proxy}/`, pid: nginx },
    { name: 'direct', url: `http://127.0.0.1:${backend}/` },
  ]
  const secure: Who[] = [
    { name: 'tutti', url: `https://127.0.0.1:${own.securePort}/`, pid: gateway.pid! },
    { name: 'nginx', url: `https://127.0.0.1:${secureProxy}/`, pid: nginx },
  ]
  const rows = [
    ...(await compare('GET, one at a time', plain, 1)),
    ...(await compare('GET, 32 at a time', plain, 32)),
    ...(await compare('POST of 1 kB, 32 at a time', plain, 32, '', post)),
    ...(await compare('GET over TLS, 32 at a time', secure, 32)),
    ...(await compare('GET of 1 MB, 8 at a time', plain, 8, 'large')),
  ]
  console.log(table(rows))
} finally {
  for (const child of children) child.kill()
  await Promise.all(children.map(child => child.exitCode === null && once(child, 'exit')))
  rmSync(folder, { recursive: true })
}
