/**
 * Every parser of what clients send, for a bounded time: `npm test -- fuzz`, longer with FUZZ_SECONDS (per parser), other
 * ways with FUZZ_SEED.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configurationTargets } from './configuration-targets.ts'
import { type FuzzTarget, fuzz } from './driver.ts'
import { languageTargets } from './language-targets.ts'
import { targets } from './targets.ts'

const { FUZZ_SECONDS } = process.env
const forMs = Number(FUZZ_SECONDS ?? 0.7) * 1000
/** So that a quick machine finds nothing new by chance: new inputs are looked for by who asks for it. */
const most = FUZZ_SECONDS ? undefined : 5000
const seed = Number(process.env.FUZZ_SEED ?? 1)

for (const target of [...targets, ...languageTargets, ...configurationTargets]) {
  test(`${target.name}: no input breaks the parser`, async t => {
    const tried = await fuzz(target, { seed, forMs, ...(most && { most }) })
    t.diagnostic(`${tried} inputs`)
  })
}

const brittle: FuzzTarget = {
  name: 'json',
  tokens: ['x'],
  run(input) {
    if (input.includes('x')) throw new TypeError('an x')
  },
  refuses: error => error instanceof RangeError,
}

test('fuzz finds what is wrong, and says with which input', async () => {
  await assert.rejects(fuzz(brittle, { seed: 1, forMs: 5000 }), /json: TypeError: an x\ninput, as a line of/)
})
