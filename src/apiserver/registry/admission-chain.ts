import type { AdmissionAttributes, AdmissionPlugin } from '../admission/plugin.ts'

/**
 * Runs all `mutate` (twice where one asks for it), or all `validate`, in order. Rejects with what the first plugin that
 * refuses throws.
 */
export interface AdmissionChain {
  mutate(attributes: AdmissionAttributes): Promise<void>
  validate(attributes: AdmissionAttributes): Promise<void>
  /** Tells what became of a write that was let through. */
  settle(attributes: AdmissionAttributes, made: boolean): void
}

export type AdmissionStep = 'mutate' | 'validate'

/** Times plugins, and whole steps under the name ''; what `begin` gives is told whether the object was refused. */
export interface AdmissionMeter {
  begin(plugin: string, step: AdmissionStep, operation: string): (refused: boolean) => void
}

/** Makes a chain of the plugins that `plugins` gives at the time of each call. */
export function admissionChain(plugins: () => readonly AdmissionPlugin[], meter?: AdmissionMeter): AdmissionChain {
  async function run(step: AdmissionStep, attributes: AdmissionAttributes) {
    if (!meter) return each(step, attributes)
    const done = meter.begin('', step, attributes.operation)
    try {
      await each(step, attributes)
      done(false)
    } catch (error) {
      done(true)
      throw error
    }
  }
  async function each(step: AdmissionStep, attributes: AdmissionAttributes) {
    for (const plugin of plugins()) {
      if (!plugin[step] || !plugin.handles(attributes)) continue
      const done = meter?.begin(plugin.name, step, attributes.operation)
      try {
        const pending = plugin[step](attributes)
        if (pending) await pending
        done?.(false)
      } catch (error) {
        done?.(true)
        throw error
      }
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
    settle(attributes, made) {
      for (const plugin of plugins()) plugin.settled?.(attributes, made)
    },
  }
}
