/** Holds attributes classes that claims or volumes have, or are on their way to. */
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts'
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts'
import { VolumeAttributesClass } from '../../api/kinds/storage/volume-attributes-class.ts'
import { attributeClasses } from '../../api/quota/scopes.ts'
import { defineController, read, watch } from '../../control/controller.ts'
import { protect } from './controller.ts'

const FINALIZER = 'kubernetes.io/vac-protection'

const classOf = ({ spec }: PersistentVolume): readonly string[] =>
  spec?.volumeAttributesClassName ? [spec.volumeAttributesClassName] : []

export const attributesClassProtection = defineController<VolumeAttributesClass>({
  name: 'volumeattributesclass-protection-controller',
  queue: 'vacprotection',
  for: VolumeAttributesClass,
  watches: [
    watch(PersistentVolumeClaim, ({ previous }) => (previous ? attributeClasses(previous) : [])),
    watch(PersistentVolume, ({ previous }) => (previous ? classOf(previous) : [])),
  ],
  reads: [
    read(PersistentVolumeClaim, { attributesClass: attributeClasses }),
    read(PersistentVolume, { attributesClass: classOf }),
  ],
  reconcile(each, view) {
    const name = each.metadata?.name ?? ''
    const isUsed = () =>
      view.of(PersistentVolumeClaim).byIndex('attributesClass', name).length > 0 ||
      view.of(PersistentVolume).byIndex('attributesClass', name).length > 0
    return protect(each, VolumeAttributesClass, FINALIZER, isUsed)
  },
})
