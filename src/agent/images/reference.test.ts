import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { formatReference, parseReference } from './reference.ts'

const digest = `sha256:${'0a'.repeat(32)}`

describe('parseReference', () => {
  const forms: [string, string][] = [
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:1.27', 'docker.io/library/nginx:1.27'],
    ['team/app', 'docker.io/team/app:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app:v1', 'localhost:5000/app:v1'],
    ['127.0.0.1:5000/a/b/c', '127.0.0.1:5000/a/b/c:latest'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['registry.k8s.io/e2e-test-images/busybox:1.36.1-1', 'registry.k8s.io/e2e-test-images/busybox:1.36.1-1'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1.27@${digest}`, `docker.io/library/nginx@${digest}`],
    ['a__b/c-d.e', 'docker.io/a__b/c-d.e:latest'],
  ]
  for (const [given, full] of forms) {
    it(`takes ${given} for ${full}`, () => assert.equal(formatReference(parseReference(given)), full))
  }
  const wrong: [string, RegExp][] = [
    ['', /it is empty/],
    ['Nginx', /must be lowercase/],
    ['nginx:', /invalid tag ""/],
    ['nginx: 1', /invalid tag " 1"/],
    ['nginx@sha256:12', /invalid digest "sha256:12"/],
    ['nginx@a@b', /more than one "@"/],
    ['a//b', /invalid reference format/],
    ['../etc/passwd', /invalid re/],
    ['a/../../b', /invalid reference format/],
    ['-bad.example.com/a', /invalid registry "-bad.example.com"/],
    [`example.com/${'a'.repeat(300)}`, /must not be more than 255/],
  ]
  for (const [given, message] of wrong) {
    it(`refuses ${JSON.stringify(given.slice(0, 30))}`, () => assert.throws(() => parseReference(given), message))
  }
})
