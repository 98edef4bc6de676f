import assert from 'node:assert/strict'
import { it } from 'node:test'
import { portableEnv, portableText } from './portable.ts'

const mount = (volume: string, containerPath: string, hostPath: string) => ({
  volume,
  containerPath,
  hostPath,
  readOnly: false,
})
const mounts = [
  mount('data', '/data', '/pod/data'),
  mount('sub', '/data/sub', '/pod/sub'),
  mount('conf', '/etc/app.d/', '/pod/conf'),
]

const cases: [string, string][] = [
  ['/data', '/pod/data'],
  ['/data/x/y', '/pod/data/x/y'],
  ['/data/sub/x', '/pod/sub/x'],
  ['/database', '/database'],
  ['echo init > /data/x; cat "/etc/app.d/a" </data/y', 'echo init > /pod/data/x; cat "/pod/conf/a" </pod/data/y'],
  ['--dir=/data:/etc/app.d', '--dir=/pod/data:/pod/conf'],
  ['http://host/data/x', 'http://host/data/x'],
  ['/etc/appxd/a', '/etc/appxd/a'],
  ["readFileSync('/data/x')", "readFileSync('/pod/data/x')"],
]

for (const [text, expected] of cases) {
  it(`portableText makes ${expected} of ${text}`, () => assert.equal(portableText(text, mounts), expected))
}

it('portableEnv names each volume', () => {
  assert.deepEqual(portableEnv([mount('my-data.1', '/data', '/pod/data')]), { TUTTI_VOLUME_MY_DATA_1: '/pod/data' })
})
