import assert from 'node:assert/strict'
import { it } from 'node:test'
import type { PodSpec } from '../../api/generated/types/core-v1.ts'
import { hostnameOf, hostsFile, kernelHostname, resolvOf, resolvText } from './files.ts'

const pod = (spec: Partial<PodSpec>) => ({
  metadata: { name: 'web-0', namespace: 'shop' },
  spec: { containers: [], ...spec },
})
const dns = { servers: ['10.96.0.10'], clusterDomain: 'cluster.local' }
const machine = { servers: ['192.0.2.53'], searches: ['example.org'], options: ['timeout:2'] }

it('hostnameOf cuts a long name where a label may end', () => {
  assert.equal(hostnameOf({ metadata: { name: `${'a'.repeat(62)}-b` } }), 'a'.repeat(62))
  assert.equal(hostnameOf(pod({ hostname: 'own' })), 'own')
})

it('kernelHostname has the domain where the pod wants that, and no more than a kernel takes', () => {
  const named = { hostname: 'own', subdomain: 'web' }
  assert.equal(kernelHostname(pod(named), 'cluster.local'), 'own')
  const full = { ...named, setHostnameAsFQDN: true }
  assert.equal(kernelHostname(pod(full), 'cluster.local'), 'own.web.shop.svc.cluster.local')
  assert.equal(kernelHostname(pod({ setHostnameAsFQDN: true }), 'cluster.local'), 'web-0')
  const long = pod({ ...full, hostname: 'a'.repeat(40) })
  assert.throws(
    () => kernelHostname(long, 'cluster.local'),
    /is too long \(64 characters is the max, 67 characters requested\)/,
  )
})

it('hostsFile names the pod in its domain, and aliases', () => {
  const text = hostsFile(
    pod({ subdomain: 'web', hostAliases: [{ ip: '1.2.3.4', hostnames: ['a', 'b'] }] }),
    ['10.0.0.2'],
    'cluster.local',
  )
  assert.match(text, /\n10\.0\.0\.2\tweb-0\.web\.shop\.svc\.cluster\.local\tweb-0\n/)
  assert.match(text, /\n1\.2\.3\.4\ta\tb\n/)
})

const policies: [Partial<PodSpec>, string | undefined][] = [
  [
    {},
    'search shop.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.96.0.10\noptions ndots:5\n',
  ],
  [{ dnsPolicy: 'Default' }, undefined],
  [{ hostNetwork: true }, undefined],
  [
    { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' },
    'search shop.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.96.0.10\noptions ndots:5\n',
  ],
  [
    {
      dnsPolicy: 'None',
      dnsConfig: {
        nameservers: ['1.1.1.1'],
        searches: ['x'],
        options: [{ name: 'ndots', value: '1' }, { name: 'debug' }],
      },
    },
    'search x\nnameserver 1.1.1.1\noptions ndots:1 debug\n',
  ],
  [
    { dnsConfig: { options: [{ name: 'ndots', value: '2' }] } },
    'search shop.svc.cluster.local svc.cluster.local cluster.local example.org\nnameserver 10.96.0.10\noptions ndots:2\n',
  ],
]
for (const [spec, expected] of policies) {
  it(`resolvOf follows ${JSON.stringify(spec)}`, () => {
    const made = resolvOf(pod(spec), dns, machine)
    assert.equal(made && resolvText(made), expected)
  })
}
