import assert from 'node:assert/strict'
import { test } from 'node:test'
import { KUBERNETES_VERSION, versionInfo } from './version.ts'

test('versionInfo names the version of the API, that of the program, and the processor as Go does', () => {
  const { major, minor, gitVersion, platform } = versionInfo('1.2.3')
  assert.equal(`v${major}.${minor}`, KUBERNETES_VERSION.slice(0, KUBERNETES_VERSION.lastIndexOf('.')))
  assert.equal(gitVersion, `${KUBERNETES_VERSION}+tutti.1.2.3`)
  assert.doesNotMatch(platform, /x64|ia32/)
})
