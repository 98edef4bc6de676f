import type { StatefulSet } from '../../generated/types/apps-v1.ts'
import { templateWarnings } from '../core/pod-warnings.ts'
import { fractionWarning } from '../core/volume-warnings.ts'

const ofTemplate = templateWarnings<StatefulSet>(({ spec }) => spec?.template)

/** What is odd about a StatefulSet, though it is let through. */
export function statefulSetWarnings(set: StatefulSet, old: StatefulSet | undefined): string[] {
  const { volumeClaimTemplates = [], revisionHistoryLimit = 0 } = set.spec ?? {}
  const warnings = ofTemplate(set, old)
  for (const [index, { spec }] of volumeClaimTemplates.entries()) {
    // The path is upstream's, with its capital letter.
    const path = `spec.volumeClaimTemplates[${index}]${old ? '.Spec' : ''}.resources`
    warnings.push(...fractionWarning(spec?.resources?.requests?.storage, `${path}.requests[storage]`))
    warnings.push(...fractionWarning(spec?.resources?.limits?.storage, `${path}.limits[storage]`))
  }
  if (revisionHistoryLimit < 0) {
    warnings.push(
      'spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended',
    )
  }
  return warnings
}
