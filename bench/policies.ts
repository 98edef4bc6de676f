/**
 * What an admission policy costs a request, beside the naive way: compile for every request, on a copy of the object.
 * `node bench/policies.ts`
 */
import { kinds } from '../src/api/kinds/all.ts'
import type { Kind } from '../src/api/machinery/kind.ts'
import type { KubeObject } from '../src/api/machinery/object.ts'
import { admissionAttributes } from '../src/apiserver/admission/plugin.ts'
import { RequestInput } from '../src/apiserver/admission/policies/request-input.ts'
import { compileValidations, judge, type ValidatingSpec } from '../src/apiserver/admission/policies/validations.ts'
import { median } from './lib/measure.ts'

const ROUNDS = 7
const kind = kinds.find(each => each.key === 'v1/pods') as Kind

const container = (name: string) => ({
  name,
  image: 'registry.example.com/team/web:1.27',
  ports: [{ containerPort: 80, protocol: 'TCP' }],
  resources: { requests: { cpu: '100m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
  securityContext: { privileged: false, runAsNonRoot: true },
})
const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web-0', namespace: 'default', labels: { app: 'web', team: 'shop' } },
  spec: { containers: [container('web'), container('side')], serviceAccountName: 'default' },
} as KubeObject

/** Policies as people write them, from one line to a list of them. */
const POLICIES: Readonly<Record<string, ValidatingSpec>> = {
  'one comparison': { validations: [{ expression: "object.metadata.name != 'bad'" }] },
  'images from one registry': {
    validations: [{ expression: "object.spec.containers.all(c, c.image.startsWith('registry.example.com/'))" }],
  },
  'a list of rules': {
    matchConditions: [{ name: 'no-system', expression: "!request.namespace.startsWith('kube-')" }],
    variables: [
      { name: 'containers', expression: 'object.spec.containers' },
      { name: 'team', expression: "object.metadata.?labels['team'].orValue('')" },
    ],
    validations: [
      { expression: "variables.team.matches('^[a-z][a-z0-9-]{2,20}$')" },
      {
        expression:
          'variables.containers.all(c, !has(c.securityContext) || !c.securityContext.?privileged.orValue(false))',
      },
      { expression: "variables.containers.all(c, has(c.resources.limits) && 'memory' in c.resources.limits)" },
      {
        expression: "variables.containers.all(c, quantity(c.resources.limits['memory']).isLessThan(quantity('1Gi')))",
      },
      { expression: "variables.containers.all(c, !c.image.endsWith(':latest'))" },
      { expression: "request.userInfo.groups.exists(g, g == 'system:authenticated')" },
    ],
  },
}

function request() {
  return admissionAttributes({
    operation: 'CREATE',
    kind,
    name: 'web-0',
    namespace: 'default',
    object: pod,
    user: { name: 'jane', groups: ['shop', 'system:authenticated'] },
  })
}

const ask = (program: ReturnType<typeof compileValidations>, object: KubeObject) => {
  const input = new RequestInput(request(), () => ({ allowed: true }))
  const verdict = judge(program, input.variables({ as: kind, object, old: undefined }, undefined), false)
  if (verdict.denials.length > 0) throw new Error(verdict.denials[0]?.message)
  return verdict
}

let sink: unknown

const spent = () => {
  const { user, system } = process.cpuUsage()
  return user + system
}

/** µs of CPU per call, whatever else the machine does: the median of some rounds, after one to warm up. */
function microseconds(work: () => unknown): number {
  const run = (n: number) => {
    const began = spent()
    for (let i = 0; i < n; i++) sink = work()
    return spent() - began
  }
  let n = 20
  while (run(n) < 50_000) n *= 2
  run(n)
  return median(Array.from({ length: ROUNDS }, () => run(n) / n))
}

console.log('| policy | µs a request | naive, µs | ratio | compiled once, µs |')
console.log('|---|--:|--:|--:|--:|')
for (const [name, spec] of Object.entries(POLICIES)) {
  const program = compileValidations(spec)
  const own = microseconds(() => ask(program, pod))
  const naive = microseconds(() => ask(compileValidations(spec), structuredClone(pod)))
  const compile = microseconds(() => compileValidations(spec))
  const cells = [name, own.toFixed(2), naive.toFixed(0), `${(naive / own).toFixed(0)}×`, compile.toFixed(0)]
  console.log(`| ${cells.join(' | ')} |`)
}
void sink
