import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { imageUser } from './image-user.ts'

let root: string
before(() => {
  root = mkdtempSync(join(tmpdir(), 'tutti-image-user-'))
  mkdirSync(join(root, 'etc'))
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0::/root:/bin/sh\nweb:x:33:34::/srv:/bin/false\n')
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nweb:x:34:\nlogs:x:50:web,other\n')
})
after(() => rmSync(root, { recursive: true }))

const NONE: readonly number[] = []
for (const [what, image, wanted, expected] of [
  ['has the groups that the image has for its user', 'web', {}, [33, 34, [50], '/srv']],
  ['has them beside those of the pod', '33', { supplementalGroups: [7, 50] }, [33, 34, [50, 7], '/srv']],
  [
    "has the pod's alone where that is wanted",
    'web',
    { supplementalGroups: [7], strictGroups: true },
    [33, 34, [7], '/srv'],
  ],
  ['takes the pod for the image', 'web', { runAsUser: 0 }, [0, 0, NONE, '/root']],
  ['takes a user that the image does not know by its number', '1234:50', {}, [1234, 50, NONE, '/']],
] as const)
  test(`imageUser ${what}`, () => {
    const { uid, gid, groups, home } = imageUser(root, image, { supplementalGroups: [], ...wanted })
    assert.deepEqual([uid, gid, groups, home], expected)
  })
