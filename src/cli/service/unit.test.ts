import assert from 'node:assert/strict'
import { test } from 'node:test'
import { serviceUnit } from './unit.ts'

const unit = (more: Partial<Parameters<typeof serviceUnit>[0]> = {}) =>
  serviceUnit({ command: ['/usr/bin/node', 'up'], dataDir: '/root/.tutti', isNode: false, path: '/usr/bin', ...more })
const line = (text: string, name: string) => text.split('\n').find(each => each.startsWith(`${name}=`))

test('serviceUnit says what it runs, and whether that is a cluster or a node', () => {
  assert.equal(line(unit(), 'Description'), 'Description=Tutti cluster (/root/.tutti)')
  assert.equal(line(unit({ isNode: true }), 'Description'), 'Description=Tutti node (/root/.tutti)')
  assert.equal(line(unit(), 'ExecStart'), 'ExecStart=/usr/bin/node up')
})

test('serviceUnit writes words so that systemd reads them as they are', () => {
  const command = ['/opt/my node/node', '--tls-san', 'a"b\\c', '100%', '$HOME', "it's"]
  assert.equal(
    line(unit({ command }), 'ExecStart'),
    'ExecStart="/opt/my node/node" --tls-san "a\\"b\\\\c" 100%% $$HOME "it\'s"',
  )
})

test('serviceUnit leaves workloads alone when the program is stopped or restarted', () => {
  assert.equal(line(unit(), 'KillMode'), 'KillMode=process')
  assert.equal(line(unit(), 'Restart'), 'Restart=on-failure')
})

test('serviceUnit waits for nothing of the machine below the service manager of a user', () => {
  assert.equal(line(unit(), 'WantedBy'), 'WantedBy=multi-user.target')
  assert.equal(line(unit(), 'After'), 'After=network-online.target containerd.service crio.service')
  const users = unit({ isUsers: true })
  assert.equal(line(users, 'WantedBy'), 'WantedBy=default.target')
  assert.deepEqual([line(users, 'After'), line(users, 'Wants')], [undefined, undefined])
})
