import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idsProblem } from './known-ids.ts'

const all = [{ containerId: 0, hostId: 0, length: 4_294_967_295 }]
const alone = [{ containerId: 0, hostId: 1000, length: 1 }]
const many = [...alone, { containerId: 1, hostId: 100_000, length: 65_536 }]

describe('idsProblem', () => {
  for (const [ids, uid, gid, groups, refused] of [
    [all, 1_000_680_000, 0, [5], undefined],
    [alone, 0, 0, [], undefined],
    [
      alone,
      999,
      0,
      [],
      /^cannot run as user 999: .* there is user 0 only.*uidmap.*usermod --add-subuids 100000-165535 /,
    ],
    [alone, 0, 0, [2000], /^cannot run with group 2000: /],
    [many, 65_536, 65_536, [1], undefined],
    [many, 65_537, 0, [], /^cannot run as user 65537: the last user that there is here is 65536$/],
    [many, 0, 70_000, [], /^cannot run with group 70000: /],
  ] as const) {
    it(`${refused ? 'refuses' : 'lets'} user ${uid}, group ${gid} and ${groups} of ${ids.at(-1)?.length} ids`, () => {
      const problem = idsProblem({ uid, gid, groups }, { uids: ids, gids: ids })
      if (refused) assert.match(problem ?? '', refused)
      else assert.equal(problem, undefined)
    })
  }
})
