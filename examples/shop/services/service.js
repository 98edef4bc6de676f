// What every service of the shop shares: a JSON server that starts, answers its probes and stops as an orchestrator
// expects, and calls to the other services by name. Plain Node, no dependencies.
import http from 'node:http'

/** Where another service answers: by the service environment variables where there are some, else by its DNS name. */
export function urlOf(name) {
  const key = name.toUpperCase().replaceAll('-', '_')
  const { [`${key}_SERVICE_HOST`]: host, [`${key}_SERVICE_PORT`]: port } = process.env
  return host && port ? `http://${host}:${port}` : `http://${name}`
}

/**
 * Calls another service; throws with its answer where that is not 2xx. Each call has a connection of its own: services
 * are balanced by connection, and a kept one would send every call to the same instance.
 */
export async function call(name, path, { method = 'GET', body, headers = {} } = {}) {
  const response = await fetch(urlOf(name) + path, {
    method,
    headers: { connection: 'close', ...(body ? { 'content-type': 'application/json' } : {}), ...headers },
    ...(body ? { body: JSON.stringify(body) } : {}),
    signal: AbortSignal.timeout(5000),
  })
  const text = await response.text()
  if (!response.ok)
    throw Object.assign(new Error(`${name} answered ${response.status}: ${text.slice(0, 200)}`), { status: 502 })
  return JSON.parse(text)
}

/** An error that the client sees with this status. */
export const refuse = (status, message) => Object.assign(new Error(message), { status })

async function bodyOf(request) {
  let text = ''
  for await (const chunk of request) {
    text += chunk
    if (text.length > 100_000) throw refuse(413, 'the body is larger than 100 kB')
  }
  if (!text) return {}
  try {
    return JSON.parse(text)
  } catch {
    throw refuse(400, 'the body is not JSON')
  }
}

/**
 * Serves `routes`: keys such as `GET /carts/:id`, values `({ params, body }) => answer`. An answer is sent as JSON, or
 * as a page where it is a string. `GET /healthz` is answered here; `ready` says whether `/readyz` is.
 */
export function serve(name, routes, { ready = () => true } = {}) {
  const table = Object.entries(routes).map(([key, handler]) => {
    const [method, path] = key.split(' ')
    return { method, parts: path.split('/'), handler }
  })
  const find = (method, path) => {
    const parts = path.split('/')
    for (const route of table) {
      if (route.method !== method || route.parts.length !== parts.length) continue
      const params = {}
      const fits = route.parts.every((part, i) => {
        if (!part.startsWith(':')) return part === parts[i]
        params[part.slice(1)] = decodeURIComponent(parts[i])
        return true
      })
      if (fits) return { ...route, params }
    }
  }
  const server = http.createServer(async (request, response) => {
    const path = request.url.split('?')[0]
    let status = 200
    let answer
    try {
      const route = find(request.method, path)
      if (path === '/healthz') answer = { ok: true }
      else if (path === '/readyz') [status, answer] = ready() ? [200, { ready: true }] : [503, { ready: false }]
      else if (!route) throw refuse(404, `${request.method} ${path} is not served here`)
      else answer = await route.handler({ params: route.params, body: await bodyOf(request), request })
    } catch (error) {
      status = error.status ?? 500
      answer = { error: error.message }
      if (status >= 500) console.error(`${request.method} ${path}: ${error.message}`)
    }
    const page = typeof answer === 'string'
    response.writeHead(status, { 'content-type': page ? 'text/html; charset=utf-8' : 'application/json' })
    response.end(page ? answer : JSON.stringify(answer))
  })
  server.keepAliveTimeout = 5000
  const port = Number(process.env.PORT ?? 8080)
  server.listen(port, () => console.log(`${name} listens on ${port}`))

  // Requests in flight are finished; idle connections are closed, so that their clients go elsewhere.
  process.on('SIGTERM', () => {
    console.log(`${name} stops`)
    server.close(() => process.exit(0))
    server.closeIdleConnections()
  })
}
