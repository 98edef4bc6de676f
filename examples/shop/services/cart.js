// Carts, kept on disk: what is in a cart survives a restart.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { call, refuse, serve } from './service.js'

const folder = process.env.DATA ?? '/tmp/shop-cart'
mkdirSync(folder, { recursive: true })
const fileOf = id => {
  if (!/^[a-z0-9-]{1,60}$/.test(id))
    throw refuse(400, `cart id ${JSON.stringify(id)} must be 1 to 60 of a-z, 0-9 and -`)
  return join(folder, `${id}.json`)
}
const read = id => {
  try {
    return JSON.parse(readFileSync(fileOf(id), 'utf8'))
  } catch (error) {
    if (error.code === 'ENOENT') return []
    throw error
  }
}
const write = (id, items) => {
  const file = fileOf(id)
  writeFileSync(`${file}.new`, JSON.stringify(items))
  renameSync(`${file}.new`, file)
  return items
}

serve('cart', {
  'GET /carts/:id': ({ params }) => read(params.id),
  'POST /carts/:id': async ({ params, body }) => {
    const { id, name, price } = await call('catalog', `/products/${encodeURIComponent(body.product ?? '')}`)
    return write(params.id, [...read(params.id), { id, name, price }])
  },
  'DELETE /carts/:id': ({ params }) => write(params.id, []),
})
