/** AlwaysAdmit and AlwaysDeny: for tests of what comes before admission. Both are off unless asked for. */
import type { AdmissionPlugin } from './plugin.ts'
import { refuse } from './refusal.ts'

export const alwaysAdmit: AdmissionPlugin = { name: 'AlwaysAdmit', handles: () => false }

export const alwaysDeny: AdmissionPlugin = {
  name: 'AlwaysDeny',
  handles: () => true,
  mutate(request) {
    throw refuse(request, 'admission control is denying all modifications')
  },
}
