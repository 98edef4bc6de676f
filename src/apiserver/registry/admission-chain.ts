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

/** Times the steps of one request. */
export interface AdmissionTimes {
  /** A plugin has answered: on the spot, which counts as no time, or after it was waited for. */
  plugin(name: string, waited: boolean, refused: boolean): void
  /** The step is over. */
  end(refused: boolean): void
}

export interface AdmissionMeter {
  begin(step: AdmissionStep, operation: string): AdmissionTimes
}

/** Makes a chain of the plugins that `plugins` gives at the time of each call. */
export function admissionChain(plugins: () => readonly AdmissionPlugin[], meter?: AdmissionMeter): AdmissionChain {
  /** Those of the plugins that have something to do, by what; made again when there are others. */
  let sorted: { readonly of: readonly AdmissionPlugin[] } & Record<keyof AdmissionChain, readonly AdmissionPlugin[]>
  sorted = { of: [], mutate: [], validate: [], settle: [] }
  function those(which: keyof AdmissionChain): readonly AdmissionPlugin[] {
    const of = plugins()
    if (of !== sorted.of) {
      const having = (method: 'mutate' | 'validate' | 'settled') => of.filter(plugin => plugin[method])
      sorted = { of, mutate: having('mutate'), validate: having('validate'), settle: having('settled') }
    }
    return sorted[which]
  }

  async function run(step: AdmissionStep, attributes: AdmissionAttributes) {
    const times = meter?.begin(step, attributes.operation)
    for (const plugin of those(step)) {
      if (!plugin.handles(attributes)) continue
      let waited = false
      try {
        const pending = plugin[step]!(attributes)
        if (pending) {
          waited = true
          await pending
        }
        times?.plugin(plugin.name, waited, false)
      } catch (error) {
        times?.plugin(plugin.name, waited, true)
        times?.end(true)
        throw error
      }
    }
    times?.end(false)
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
      for (const plugin of those('settle')) plugin.settled!(attributes, made)
    },
  }
}
