import { environment, LANGUAGE } from './environment.ts'

/**
 * The language with everything that Kubernetes adds to it: what every expression of the API may use. Declare variables
 * with `extend`. Made once; shared by all.
 */
export const KUBERNETES = environment(LANGUAGE)
