/** Rules of volumes, claims and storage. */
import type { Json } from '../../bases/base.ts'
import { type Case, changed, of, update } from '../written.ts'

const volume = (name: string, source: Json, more: Json = {}) =>
  of('PersistentVolume', name, ({ spec }) => {
    delete spec.hostPath
    Object.assign(spec, source, more)
  })
const claim = (name: string, change: (spec: Json) => void) =>
  of('PersistentVolumeClaim', name, ({ spec }) => change(spec))
const attachment = (name: string, status: Json) =>
  changed('VolumeAttachment', name, [{ below: '/status', patch: { status } }])
const long = (length: number) => 'a'.repeat(length)
const projected = (name: string, source: Json) =>
  of('Pod', `volume: ${name}`, ({ spec }) => (spec.volumes = [{ name: 'v', projected: { sources: [source] } }]))
const CLASS = 'volume.beta.kubernetes.io/storage-class'

export const volumes: readonly Case[] = [
  claim('one pod and more', spec => (spec.accessModes = ['ReadWriteOncePod', 'ReadWriteOnce'])),
  claim('from another namespace', spec => {
    spec.dataSourceRef = { apiGroup: 'example.com', kind: 'Some', name: 'a', namespace: 'A_' }
  }),
  update(
    'PersistentVolumeClaim',
    'annotated class',
    ({ metadata }) => (metadata.annotations = { [CLASS]: 'y' }),
    ({ metadata }) => {
      metadata.annotations = { [CLASS]: 'x' }
    },
  ),
  changed(
    'PersistentVolumeClaim',
    'class of attributes taken away',
    [
      { below: '/status', patch: { status: { currentVolumeAttributesClassName: 'gold' } } },
      { patch: { spec: { volumeAttributesClassName: null } } },
    ],
    ({ spec }) => (spec.volumeAttributesClassName = 'gold'),
  ),
  changed('PersistentVolumeClaim', 'resources that are not of claims', [
    { below: '/status', patch: { status: { allocatedResources: { cpu: '1', 'kubernetes.io/x': '1', 'a b': '1' } } } },
  ]),

  volume('endpoints in no namespace', { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: '' } }),
  volume('endpoints in a bad namespace', { glusterfs: { endpoints: 'e', path: 'p', endpointsNamespace: 'A_' } }),
  volume('data set of a bad name', { flocker: { datasetName: 'a/b' } }),
  volume('reserved options', {
    flexVolume: { driver: 'a/b', options: { 'kubernetes.io/x': 'y', 'a.K8S.io/x': 'y', x: 'y' } },
  }),
  volume('bad namespace', { storageos: { volumeName: 'v', volumeNamespace: 'A_' } }),
  volume('initiator and a long portal', {
    iscsi: {
      targetPortal: long(64),
      iqn: 'iqn.2001-04.com.example:x',
      initiatorName: 'iqn.2001-04.com.example:y',
      lun: 0,
    },
  }),
  volume('root that is recycled', { hostPath: { path: '/' }, persistentVolumeReclaimPolicy: 'Recycle' }),
  of('PersistentVolume', 'mount options of old', ({ metadata }) => {
    metadata.annotations = { 'volume.beta.kubernetes.io/mount-options': 'x' }
  }),
  of('VolumeAttachment', 'inline, with what belongs to volumes of their own', ({ spec }) => {
    const terms = [{ matchExpressions: [{ key: 'a', operator: 'Exists' }] }]
    const inlineVolumeSpec = {
      accessModes: ['ReadWriteOnce'],
      csi: { driver: 'x.io', volumeHandle: 'h' },
      nodeAffinity: { required: { nodeSelectorTerms: terms } },
      volumeMode: 'Block',
    }
    spec.source = { inlineVolumeSpec }
  }),
  of('VolumeAttachment', 'inline, with defaults', ({ spec }) => {
    spec.source = {
      inlineVolumeSpec: { accessModes: ['ReadWriteOnce'], capacity: { storage: '1024Mi' }, azureDisk: {} },
    }
  }),
  attachment('large metadata', { attached: true, attachmentMetadata: { a: long(262_145) } }),
  attachment('long error', { attached: false, attachError: { message: long(1025) } }),

  projected('bundle by name and signer', { clusterTrustBundle: { name: 'a', signerName: 'a.b/c', path: 'p' } }),
  projected('bundle of nothing', { clusterTrustBundle: { path: '' } }),
]
