/** The ConfigMap of 1 KB that load programs write, as JSON and as the wire message of Kubernetes' clients in Go. */

const value = 'x'.repeat(1000)

/** As an object. */
export const configMap = (name: string) => ({
  apiVersion: 'v1',
  kind: 'ConfigMap',
  metadata: { name, labels: { app: 'load' } },
  data: { value },
})

export const PROTOBUF = 'application/vnd.kubernetes.protobuf'

/** A field of a message that is a string or a message itself. */
function field(number: number, content: string | Buffer): Buffer {
  const bytes = Buffer.from(content)
  const length: number[] = []
  let left = bytes.length
  for (; left > 127; left >>>= 7) length.push((left & 127) | 128)
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length, left]), bytes])
}

const entry = (key: string, content: string) => Buffer.concat([field(1, key), field(2, content)])
const magic = Buffer.from('k8s\0')
const type = field(1, Buffer.concat([field(1, 'v1'), field(2, 'ConfigMap')]))
const labels = field(11, entry('app', 'load'))
const data = field(2, entry('value', value))

/** In protobuf, in the envelope that says what it is (runtime.Unknown). */
export function configMapMessage(name: string): Buffer {
  const metadata = field(1, Buffer.concat([field(1, name), labels]))
  return Buffer.concat([magic, type, field(2, Buffer.concat([metadata, data]))])
}
