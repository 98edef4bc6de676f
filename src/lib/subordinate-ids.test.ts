import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { idsOf } from './subordinate-ids.ts'

const user = { name: 'alice', uid: 1000, gid: 1001 }
const ids = (subuid: string, subgid = subuid) => idsOf({ ...user, subuid, subgid })

describe('idsOf', () => {
  it('gives a user his own id as that of root, and his ranges behind it', () => {
    assert.deepEqual(ids('bob:100000:65536\nalice:165536:65536\n', 'alice:300000:1000\n1000:400000:5\n'), {
      uids: [
        { containerId: 0, hostId: 1000, length: 1 },
        { containerId: 1, hostId: 165_536, length: 65_536 },
      ],
      gids: [
        { containerId: 0, hostId: 1001, length: 1 },
        { containerId: 1, hostId: 300_000, length: 1000 },
        { containerId: 1001, hostId: 400_000, length: 5 },
      ],
    })
  })

  for (const [what, subuid, subgid, missing] of [
    ['no files', '', '', /subuid gives alice none. usermod --add-subuids 100000-165535 --add-subgids 100000-165535 a/],
    ['ranges of others', 'bob:100000:65536', 'bob:100000:65536', /--add-subuids 165536-231071 /],
    ['ids of groups missing', 'alice:100000:65536', '', /\/etc\/subgid gives alice none. .*--add-subgids 165536-/],
    ['broken lines', 'alice:x:1\nalice:1\n#alice:1:2\nalice:5:0', '', /\/etc\/subuid gives alice none/],
  ] as const) {
    it(`says what to do with ${what}`, () => {
      const found = ids(subuid, subgid)
      assert.ok('missing' in found)
      assert.match(`${found.missing}. ${found.remedy}`, missing)
    })
  }
})
