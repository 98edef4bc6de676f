import { type Check, plural, quoted, sorted } from '../check.ts'

const ALLOWED = [
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
]

/** In the order in which a volume that is several is named. */
const RESTRICTED = [
  'hostPath',
  'gcePersistentDisk',
  'awsElasticBlockStore',
  'gitRepo',
  'nfs',
  'iscsi',
  'glusterfs',
  'rbd',
  'flexVolume',
  'cinder',
  'cephfs',
  'flocker',
  'fc',
  'azureFile',
  'vsphereVolume',
  'quobyte',
  'azureDisk',
  'photonPersistentDisk',
  'portworxVolume',
  'scaleIO',
  'storageos',
]

export const restrictedVolumes: Check = {
  id: 'restrictedVolumes',
  level: 'restricted',
  overrides: 'hostPathVolumes',
  versions: [
    [
      0,
      ({ spec }) => {
        const bad = (spec.volumes ?? []).filter(volume => !ALLOWED.some(type => type in volume))
        if (!bad.length) return undefined
        const types = sorted(bad.map(volume => RESTRICTED.find(type => type in volume) ?? 'unknown'))
        const what = `${plural(types.length, 'restricted volume type')} ${quoted(types)}`
        const names = bad.map(({ name }) => name)
        return {
          reason: 'restricted volume types',
          detail: `${plural(names.length, 'volume')} ${quoted(names)} ${plural(names.length, 'uses', 'use')} ${what}`,
        }
      },
    ],
  ],
}
