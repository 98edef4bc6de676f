/** Says what takes long: nothing for half a second, then a line that is rewritten on a terminal. */
import type { Context } from '../context.ts'

const PATIENCE = 500
const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏']

/** Runs `work`, which may say what it is doing. The line is gone when `work` ends. */
export async function withProgress<T>(
  { io, clock, json }: Pick<Context, 'io' | 'clock' | 'json'>,
  first: string,
  work: (say: (text: string) => void) => Promise<T>,
): Promise<T> {
  let text = first
  let said = ''
  let frame = 0
  let timer = json ? undefined : clock.after(PATIENCE, draw)
  function draw() {
    if (io.tty) {
      io.err(`\r\x1b[2K${FRAMES[frame++ % FRAMES.length]} ${text}`)
      timer = clock.after(100, draw)
    } else if (text !== said) {
      io.err(`${text.replace(/\.+$/, '')}…\n`)
      said = text
      timer = clock.after(PATIENCE, draw)
    } else timer = clock.after(PATIENCE, draw)
  }
  try {
    return await work(next => {
      text = next
    })
  } finally {
    timer?.cancel()
    if (io.tty && frame > 0) io.err('\r\x1b[2K')
  }
}
