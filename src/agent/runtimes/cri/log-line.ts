/** Lines of the logs that a CRI runtime writes: `TIME STREAM TAG TEXT` (k8s.io/cri-api, kubelet-cri-logging). */

export interface LogLine {
  /** RFC 3339 with nanoseconds, as it stands there. */
  readonly time: string
  readonly stream: 'stdout' | 'stderr'
  /** Tag P: the text goes on in the next line. */
  readonly partial: boolean
  readonly text: Buffer
}

const SPACE = 32

/** Reads a line without its end; undefined for what is none. */
export function parseLogLine(line: Buffer): LogLine | undefined {
  const first = line.indexOf(SPACE)
  const second = line.indexOf(SPACE, first + 1)
  if (first < 0 || second < 0) return undefined
  const third = line.indexOf(SPACE, second + 1)
  const end = third < 0 ? line.length : third
  const stream = line.toString('latin1', first + 1, second)
  if (stream !== 'stdout' && stream !== 'stderr') return undefined
  const [tag] = line.toString('latin1', second + 1, end).split(':')
  return {
    time: line.toString('latin1', 0, first),
    stream,
    partial: tag === 'P',
    text: third < 0 ? Buffer.alloc(0) : line.subarray(third + 1),
  }
}
