// Turns a cart into a paid order. The orders' file is made by the migration, which must have run first.
import { appendFileSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { call, refuse, serve } from './service.js'

const file = join(process.env.DATA ?? '/tmp/shop-orders', 'orders.jsonl')
const all = () =>
  readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line))
const [header, ...known] = all()
if (header.schema !== 1) throw new Error(`orders.jsonl has schema ${header.schema}, this version of orders knows 1`)
let last = known.at(-1)?.number ?? 0

serve('orders', {
  'GET /orders': () => all().slice(1),
  'POST /orders': async ({ body }) => {
    const cart = String(body.cart ?? '')
    const items = await call('cart', `/carts/${encodeURIComponent(cart)}`)
    if (items.length === 0) throw refuse(409, 'the cart is empty')
    const total = items.reduce((sum, { price }) => sum + price, 0)
    const payment = await call('payments', '/payments', {
      method: 'POST',
      body: { amount: total },
      headers: { authorization: `Bearer ${process.env.PAYMENTS_TOKEN}` },
    })
    const order = { number: ++last, items, total, payment, at: new Date().toISOString() }
    appendFileSync(file, `${JSON.stringify(order)}\n`)
    await call('cart', `/carts/${encodeURIComponent(cart)}`, { method: 'DELETE' })
    return order
  },
})
