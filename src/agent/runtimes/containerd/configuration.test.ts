import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { containerdConfiguration, type Settings } from './configuration.ts'
import { hostsToml, writeRegistries } from './registries.ts'

const folder = mkdtempSync(join(tmpdir(), 'containerd-configuration-'))
after(() => rmSync(folder, { recursive: true, force: true }))

const settings: Settings = {
  major: 1,
  layout: {
    root: '/data/root',
    state: '/run/x/state',
    socket: '/run/x/sock',
    cniBin: '/run/x/bin',
    cniConf: '/run/x/conf',
    registries: '/data/registries',
  },
  cgroupDriver: 'cgroupfs',
  restrictOom: true,
}

test('containerdConfiguration writes what each major version reads', () => {
  const one = containerdConfiguration(settings)
  assert.match(one, /^version = 2$/m)
  assert.match(one, /^\["plugins"\."io\.containerd\.grpc\.v1\.cri"\]\n(?:.*\n)*?restrict_oom_score_adj = true$/m)
  assert.match(one, /^sandbox_image = "tutti\.dev\/pause:1"$/m)
  assert.match(one, /^bin_dir = "\/run\/x\/bin"$/m)
  assert.match(one, /^SystemdCgroup = false$/m)
  assert.match(one, /^enable_cdi = true$/m)
  const two = containerdConfiguration({ ...settings, major: 2, cgroupDriver: 'systemd', sandboxImage: 'own/pause:2' })
  assert.match(two, /^version = 3$/m)
  assert.match(two, /^bin_dirs = \["\/run\/x\/bin"\]$/m)
  assert.match(two, /^sandbox = "own\/pause:2"$/m)
  assert.match(two, /^SystemdCgroup = true$/m)
})

test('hostsToml names mirrors before the registry itself', () => {
  assert.equal(
    hostsToml({ host: 'docker.io', mirrors: ['https://a.example', 'http://b.example:5000'] }, '/ca'),
    `server = "https://registry-1.docker.io"
[host."https://a.example"]
  capabilities = ["pull", "resolve"]
[host."http://b.example:5000"]
  capabilities = ["pull", "resolve"]
`,
  )
  assert.equal(
    hostsToml({ host: 'own.example:5000', mirrors: [], ca: 'PEM' }, '/x/ca.pem'),
    `server = "https://own.example:5000"
ca = "/x/ca.pem"
[host."https://own.example:5000"]
  capabilities = ["pull", "resolve"]
  ca = "/x/ca.pem"
`,
  )
})

test('writeRegistries leaves what is configured and nothing else', () => {
  const place = join(folder, 'registries')
  writeRegistries(place, [{ host: 'a.example', mirrors: [], ca: 'PEM' }])
  assert.equal(readFileSync(join(place, 'a.example/ca.pem'), 'utf8'), 'PEM')
  writeRegistries(place, [{ host: 'b.example', mirrors: ['https://m'] }])
  assert.equal(existsSync(join(place, 'a.example')), false)
  assert.match(readFileSync(join(place, 'b.example/hosts.toml'), 'utf8'), /https:\/\/m/)
})
