import { VolumeError, type VolumeServices, type VolumeType } from './volume.ts'

const needed = ({ csi }: Pick<VolumeServices, 'csi'>) => {
  if (csi) return csi
  throw new VolumeError('volumes of CSI drivers need a node that may mount')
}

/** API doc: CSIVolumeSource, CSIPersistentVolumeSource. Its driver does it; see csi/volumes.ts. */
export const csiVolume: VolumeType = {
  field: 'csi',
  folder: 'kubernetes.io~csi',
  live: false,
  readOnly: false,
  setUp: (spec, context) => needed(context).publish(spec, context.pod, context.directory),
  map: (spec, context) => needed(context).publish(spec, context.pod, context.directory),
  tearDown: (directory, services) => needed(services).unpublish(directory),
}
