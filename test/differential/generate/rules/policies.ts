/** Rules of admission, certificates and flow control. */
import type { Json } from '../../bases/base.ts'
import { type Case, changed, of } from '../written.ts'

const policy = (name: string, rule: Json) =>
  of('ValidatingAdmissionPolicy', name, ({ spec }) => Object.assign(spec.matchConstraints.resourceRules[0], rule))
const level = (name: string, change: (object: Json) => void) => of('PriorityLevelConfiguration', name, change)
const request = (name: string, ...changes: readonly [below: string, status: Json][]) =>
  changed(
    'CertificateSigningRequest',
    name,
    changes.map(([below, status]) => ({ below, patch: { status } })),
  )

const condition = (type: string, message: string) => ({ type, status: 'True', reason: 'Test', message })
const approved = { conditions: [condition('Approved', 'a')] }
/** Of nobody: any that can be read. */
const DER =
  'MIIBbzCCARWgAwIBAgIUNiBXUkrVm0kvsRh5P3XO0tOw7lowCgYIKoZIzj0EAwIwDDEKMAgGA1UEAwwBYTAgFw0yNjExMjYwOTU2MDhaGA8yMTI2MTEwMjA5NTYwOFowDDEKMAgGA1UEAwwBYTBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABGodLPV4FrEtTJN6K9zUJMBXKAy1uHec17zaUkyIRqoUVB3gdnrVOrGWfmVSsvEh89jCaRfdEEMt/uSTKgBvlVKjUzBRMB0GA1UdDgQWBBRldRTNph6rcegwZwIRDbLV9DVa3jAfBgNVHSMEGDAWgBRldRTNph6rcegwZwIRDbLV9DVa3jAPBgNVHRMBAf8EBTADAQH/MAoGCCqGSM49BAMCA0gAMEUCIQDDVLRztd+SRFLL9Tn9lPchOfZMwfBZ06B/62ndKP+CrgIgQQO1UfUUxN32Dq+9fsUpB/AOKyh7YoQU3i/GQmgzpl4='
const pem = `-----BEGIN CERTIFICATE-----\n${DER.replace(/.{64}(?=.)/g, '$&\n')}\n-----END CERTIFICATE-----\n`
const [certificate, twice] = [pem, pem + pem].map(text => Buffer.from(text).toString('base64')) as [string, string]

export const policies: readonly Case[] = [
  policy('all of a resource and one', { resources: ['pods/*', 'pods/status'] }),
  policy('one of all resources and of one', { resources: ['*/scale', 'a/scale'] }),
  policy('all resources and one', { resources: ['*', 'pods'] }),
  policy('everything and one', { resources: ['*/*', 'pods'] }),
  policy('names of bad form', { resourceNames: ['a/b', 'a/b'] }),
  of('ValidatingAdmissionPolicyBinding', 'parameter of a bad name', ({ spec }) => {
    spec.paramRef = { name: 'a/b', parameterNotFoundAction: 'Deny' }
  }),

  request('approved and denied', ['/approval', { conditions: [condition('Approved', 'a'), condition('Denied', 'a')] }]),
  request('approved through the status', ['/status', approved]),
  request(
    'decision changed through the status',
    ['/approval', approved],
    ['/status', { conditions: [condition('Approved', 'b')] }],
  ),
  request('another certificate', ['/status', { certificate }], ['/status', { certificate: twice }]),
  request('certificate through the approval', ['/approval', { certificate }]),

  of('FlowSchema', 'all verbs and one', ({ spec }) => {
    const nonResourceRules = [{ verbs: ['*', 'get'], nonResourceURLs: ['*', '/a'] }]
    spec.rules = [{ subjects: [{ kind: 'User', user: { name: '*' } }], nonResourceRules }]
  }),
  of('FlowSchema', 'before all others', ({ spec }) => (spec.matchingPrecedence = 1)),
  of('FlowSchema', 'one that is fixed', ({ metadata }) => (metadata.name = 'exempt')),
  level('limited and exempt', ({ spec }) => (spec.exempt = {})),
  level('kept annotation', ({ metadata }) => {
    metadata.annotations = { 'flowcontrol.k8s.io/v1beta3-preserve-zero-concurrency-shares': 'x' }
  }),
  level('another exempt one', ({ metadata }) => (metadata.name = 'exempt')),
  level('another one for all the rest', ({ metadata }) => (metadata.name = 'catch-all')),
  of('PriorityClass', 'critical, and for all', object => {
    Object.assign(object, { metadata: { name: 'system-node-critical' }, value: 2_000_001_000, globalDefault: true })
  }),
]
