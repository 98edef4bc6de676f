/** Tells Ingresses what is wrong with them: each thing when it comes, and again when it has been right between. */
import type { Ingress } from '../../api/kinds/networking/ingress.ts'
import type { EventRecorder } from '../../client/event-recorder.ts'
import { keyOf } from '../../client/informer-types.ts'
import type { Problem } from './compile.ts'

/** Makes what is called with all that is wrong, after each change. */
export function problemEvents(events: EventRecorder): (problems: readonly Problem[]) => void {
  let told = new Set<string>()
  const idOf = ({ ingress, reason, message }: Problem) => JSON.stringify([keyOf(ingress), reason, message])
  return problems => {
    const now = new Set<string>()
    for (const problem of problems) {
      const id = idOf(problem)
      if (!told.has(id) && !now.has(id)) {
        const target: Ingress = problem.ingress
        events.event(target, 'Warning', problem.reason, problem.message)
      }
      now.add(id)
    }
    told = now
  }
}
