// The page that a customer sees, and its API, which passes calls on to the services behind.
import { readFileSync } from 'node:fs'
import { call, serve } from './service.js'

const page = readFileSync(new URL('./storefront.html', import.meta.url), 'utf8').replaceAll(
  '{{title}}',
  process.env.SHOP_TITLE ?? 'Shop',
)
const cart = id => `/carts/${encodeURIComponent(id)}`

serve('storefront', {
  'GET /': () => page,
  'GET /api/version': () => ({
    title: process.env.SHOP_TITLE ?? 'Shop',
    instance: process.env.HOSTNAME ?? '',
    pid: process.pid,
  }),
  'GET /api/products': () => call('catalog', '/products'),
  'GET /api/carts/:id': ({ params }) => call('cart', cart(params.id)),
  'POST /api/carts/:id': ({ params, body }) => call('cart', cart(params.id), { method: 'POST', body }),
  'POST /api/orders': ({ body }) => call('orders', '/orders', { method: 'POST', body }),
  'GET /api/orders': () => call('orders', '/orders'),
})
