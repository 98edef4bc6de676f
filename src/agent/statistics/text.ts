/** Prometheus' text, version 0.0.4, of samples that have times of their own. */

export type Labels = Readonly<Record<string, string>>
export type Sample = readonly [labels: Labels, value: number, timestamp?: number]

const escaped = (text: string) => text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')

/** A family in Prometheus' text. */
export function family(name: string, type: 'counter' | 'gauge', help: string, samples: readonly Sample[]): string {
  const lines = samples.map(([labels, value, timestamp]) => {
    const words = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`)
    return `${name}${words.length ? `{${words.join(',')}}` : ''} ${value}${timestamp === undefined ? '' : ` ${timestamp}`}`
  })
  return `${[`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...lines].join('\n')}\n`
}
