/** Rules of what is done to pods through their own endpoints. */
import type { Json } from '../../bases/base.ts'
import { type Case, changed } from '../written.ts'

const ephemeral = (name: string, ...lists: readonly Json[][]) =>
  changed(
    'Pod',
    `ephemeral containers: ${name}`,
    lists.map(ephemeralContainers => ({ below: '/ephemeralcontainers', patch: { spec: { ephemeralContainers } } })),
    ({ spec }) => (spec.volumes = [{ name: 'v', emptyDir: {} }]),
  )
const amounts = (cpu: string, memory: string) => ({ limits: { cpu, memory }, requests: { cpu, memory } })
const container = (more: Json) => ({ name: 'c', image: 'nginx', ...more })
const resized = (name: string, patch: Json, more: Json = {}) =>
  changed('Pod', `resize: ${name}`, [{ below: '/resize', patch }], ({ spec }) => {
    Object.assign(spec, { containers: [container({ resources: amounts('1', '1Gi') })], ...more })
  })
const ofContainer = (name: string, more: Json, others: Json = {}) =>
  resized(name, { spec: { containers: [container(more)] } }, others)

const debug = { name: 'debug', image: 'x' }
const once = { name: 'i', image: 'x', resources: amounts('1', '1Gi') }

export const podSubresources: readonly Case[] = [
  ephemeral('good', [{ ...debug, targetContainerName: 'c', volumeMounts: [{ name: 'v', mountPath: '/x' }] }]),
  changed('Pod', 'ephemeral containers: and other things', [
    {
      below: '/ephemeralcontainers',
      patch: { metadata: { labels: { a: 'b' } }, spec: { ephemeralContainers: [debug], activeDeadlineSeconds: 5 } },
    },
  ]),
  ephemeral('a name twice, another target', [
    { ...debug, name: 'c' },
    { ...debug, targetContainerName: 'odd' },
  ]),
  ephemeral('with what they may not have', [
    {
      ...debug,
      ports: [{ containerPort: 80 }],
      lifecycle: { preStop: { sleep: { seconds: 1 } } },
      readinessProbe: { tcpSocket: { port: 1 } },
      resources: { limits: { cpu: '1' } },
      volumeMounts: [
        { name: 'v', mountPath: '/x', subPath: 'a' },
        { name: 'v', mountPath: '/y', subPathExpr: 'a' },
      ],
    },
  ]),
  ephemeral('one that is gone', [debug], []),
  ephemeral('one that changed', [debug], [{ ...debug, image: 'y' }]),

  ofContainer('more', { resources: amounts('2', '2Gi') }),
  ofContainer('less', { resources: amounts('500m', '1Gi') }),
  ofContainer('another class', { resources: { limits: { cpu: '2' }, requests: { cpu: '1' } } }),
  ofContainer('nothing more', { resources: null }),
  ofContainer('another image', { image: 'x', resources: amounts('2', '1Gi') }),
  ofContainer('other resources', { resources: { ...amounts('1', '1Gi'), claims: [{ name: 'r' }] } }),
  ofContainer('policy', {
    resources: amounts('1', '1Gi'),
    resizePolicy: [{ resourceName: 'cpu', restartPolicy: 'RestartContainer' }],
  }),
  resized('one more container', { spec: { containers: [container({}), container({ name: 'd' })] } }),
  resized('another name', { spec: { containers: [container({ name: 'd', resources: amounts('1', '1Gi') })] } }),
  resized(
    'an init container',
    { spec: { initContainers: [{ ...once, resources: amounts('2', '1Gi') }] } },
    { initContainers: [once] },
  ),
  resized(
    'as a whole',
    { spec: { resources: { limits: { cpu: '3', memory: '2Gi' } } } },
    { resources: amounts('2', '2Gi') },
  ),
  resized('nothing as a whole', { spec: { resources: null } }, { resources: amounts('2', '2Gi') }),
  resized(
    'on windows',
    { spec: { containers: [container({ resources: amounts('2', '1Gi') })] } },
    { os: { name: 'windows' } },
  ),
  resized('labels', { metadata: { labels: { a: 'b' } } }),
]
