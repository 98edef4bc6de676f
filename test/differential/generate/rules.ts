/** Cases written by hand for single rules that nothing else breaks. */
import type { Scene } from '../ask.ts'
import { addresses } from './rules/addresses.ts'
import { definitions } from './rules/definitions.ts'
import { devices, leavingClaim } from './rules/devices.ts'
import { names } from './rules/names.ts'
import { network } from './rules/network.ts'
import { others } from './rules/others.ts'
import { podSubresources } from './rules/pod-subresources.ts'
import { pods } from './rules/pods.ts'
import { policies } from './rules/policies.ts'
import { shapes } from './rules/shapes.ts'
import { volumes } from './rules/volumes.ts'
import { writtenScenes } from './written.ts'

export const rules = (): Scene[] => [
  ...writtenScenes([...policies, ...definitions, ...network, ...volumes, ...pods, ...others, ...devices], 'rule'),
  ...writtenScenes(podSubresources, 'rule'),
  ...writtenScenes(addresses, 'address'),
  ...writtenScenes(names, 'name'),
  ...writtenScenes(shapes, 'shape'),
  leavingClaim(),
]
