// Takes the money, in two versions that run side by side.
import { randomUUID, timingSafeEqual } from 'node:crypto'
import { refuse, serve } from './service.js'

const version = process.env.VERSION ?? 'v1'
const expected = Buffer.from(`Bearer ${process.env.PAYMENTS_TOKEN ?? ''}`)

serve('payments', {
  'GET /version': () => ({ version, pid: process.pid }),
  'POST /payments': ({ body, request }) => {
    const given = Buffer.from(request.headers.authorization ?? '')
    if (given.length !== expected.length || !timingSafeEqual(given, expected)) throw refuse(401, 'wrong payments token')
    if (!(body.amount > 0)) throw refuse(400, `amount ${JSON.stringify(body.amount)} must be more than 0`)
    // v2 adds the receipt.
    return {
      id: randomUUID(),
      amount: body.amount,
      version,
      ...(version === 'v1' ? {} : { receipt: `R-${Date.now().toString(36)}` }),
    }
  },
})
