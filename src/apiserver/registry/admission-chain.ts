import type { AdmissionAttributes, AdmissionPlugin } from '../admission/plugin.ts'

/**
 * Runs all `mutate` (twice where one asks for it), or all `validate`, in order. Rejects with what the first plugin that
 * refuses throws.
 */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<void>
  validate(attributes: AdmissionAttributes): Promise<void>
}

/** Makes a chain of the plugins that `plugins` gives at the time of each call. */
export function admissionChain(plugins: () => readonly AdmissionPlugin[]): AdmissionChain {
  async function run(step: 'mutate' | 'validate', attributes: AdmissionAttributes) {
    for (const plugin of plugins()) {
      if (!plugin[step] || !plugin.handles(attributes)) continue
      const pending = plugin[step](attributes)
      if (pending) await pending
    }
  }
  return {
    async mutate(attributes) {
      await run('mutate', attributes)
      if (!attributes.changed) return
      attributes.round = 1
      await run('mutate', attributes)
    },
    validate: attributes => run('validate', attributes),
  }
}
