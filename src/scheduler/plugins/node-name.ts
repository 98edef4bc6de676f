import type { Plugin } from '../plugin.ts'

/** A pod that names its node goes there only. */
export const nodeName: Plugin = {
  name: 'NodeName',
  weight: 0,
  prepare({ pod }, { snapshot }) {
    const wanted = pod.spec?.nodeName
    if (!wanted) return undefined
    return {
      filter: slot => (snapshot.name(slot) === wanted ? undefined : "node(s) didn't match the requested node name"),
      hopeless: () => true,
    }
  },
  wokenBy: ['node'],
  mayHelp: (event, { pod }) => event.type === 'node' && event.current.metadata?.name === pod.spec?.nodeName,
}
