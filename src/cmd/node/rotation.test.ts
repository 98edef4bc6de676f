import assert from 'node:assert/strict'
import { test } from 'node:test'
import { silent } from '../../lib/log.ts'
import { createAuthority, issueCertificate } from '../../lib/pki/certificate.ts'
import { virtualClock } from '../../lib/virtual-clock.ts'
import { keepFresh } from './rotation.ts'

const DAY = 24 * 3_600_000

test('keepFresh makes a certificate anew when four fifths of its time are over, and tries again where that fails', async () => {
  const clock = virtualClock(Date.UTC(2026, 0, 1))
  const authority = await createAuthority({ commonName: 'ca', now: clock.now(), lifetime: 3650 * DAY })
  const begin = clock.now()
  // Made beforehand, each when its turn comes: a virtual clock does not wait for the making.
  const made = await Promise.all(
    [0, 80, 160, 240].map(day =>
      issueCertificate(authority, {
        usage: 'client',
        commonName: 'node',
        now: begin + day * DAY,
        lifetime: 100 * DAY,
      }),
    ),
  )
  const end = new AbortController()
  const days: number[] = []
  let tries = 0
  const running = keepFresh(
    {
      what: 'it',
      current: made.shift()!,
      async renew() {
        tries++
        if (tries === 2) throw new Error('the server is away')
        return made.shift()!
      },
      use: () => void days.push(Math.round((clock.now() - begin) / DAY)),
    },
    { clock, logger: silent },
    end.signal,
  )
  for (let day = 0; day < 250; day++) {
    await clock.advance(DAY)
    await new Promise(resolve => setImmediate(resolve))
  }
  // The third time it took a second try, ten seconds later.
  assert.deepEqual([days, tries], [[80, 160, 240], 4])
  end.abort()
  await running
})
