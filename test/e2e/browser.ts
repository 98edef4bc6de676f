/** A headless Chromium, driven over its own debugging protocol: one page, a few verbs. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'

export interface Page {
  /** The value of an expression in the page. */
  evaluate(expression: string): Promise<unknown>
  /** Waits until an expression is true; throws after ten seconds. */
  until(expression: string): Promise<void>
  /** Writes a PNG. */
  screenshot(file: string): Promise<void>
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--remote-debugging-port=0',
  '--window-size=1100,800',
]

/** Opens `address`, lets `work` use the page, and closes the browser. */
export async function browse<T>(program: string, address: string, work: (page: Page) => Promise<T>): Promise<T> {
  const profile = mkdtempSync(join(tmpdir(), 'chromium-'))
  const browser = spawn(program, [...FLAGS, `--user-data-dir=${profile}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const ended = new Promise<void>(resolve => browser.once('exit', () => resolve()))
  try {
    const endpoint = await new Promise<string>((resolve, reject) => {
      let text = ''
      browser.stderr.on('data', chunk => {
        text += chunk
        const match = /DevTools listening on (ws:\S+)/.exec(text)
        if (match) resolve(match[1]!)
      })
      browser.once('exit', () => reject(new Error(`chromium ended: ${text.slice(-500)}`)))
    })
    const { host } = new URL(endpoint)
    const target = (await (
      await fetch(`http://${host}/json/new?${encodeURIComponent(address)}`, { method: 'PUT' })
    ).json()) as { webSocketDebuggerUrl: string }
    const socket = new WebSocket(target.webSocketDebuggerUrl)
    await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject))
    let next = 0
    const pending = new Map<
      number,
      (answer: { result?: Record<string, unknown>; error?: { message: string } }) => void
    >()
    socket.on('message', data => {
      const answer = JSON.parse(String(data))
      pending.get(answer.id)?.(answer)
      pending.delete(answer.id)
    })
    const send = (method: string, params: object = {}) =>
      new Promise<Record<string, unknown>>((resolve, reject) => {
        const id = ++next
        pending.set(id, ({ result, error }) =>
          error ? reject(new Error(`${method}: ${error.message}`)) : resolve(result ?? {}),
        )
        socket.send(JSON.stringify({ id, method, params }))
      })
    const evaluate = async (expression: string) => {
      const { result, exceptionDetails } = (await send('Runtime.evaluate', {
        expression,
        awaitPromise: true,
        returnByValue: true,
      })) as { result?: { value?: unknown }; exceptionDetails?: { text: string } }
      if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.text}`)
      return result?.value
    }
    const page: Page = {
      evaluate,
      async until(expression) {
        for (const end = Date.now() + 60_000; Date.now() < end; ) {
          if ((await evaluate(expression).catch(() => false)) === true) return
          await new Promise(resolve => setTimeout(resolve, 50))
        }
        throw new Error(`the page never came to ${expression}; it shows: ${await evaluate('document.body.innerText')}`)
      },
      async screenshot(file) {
        const { data } = await send('Page.captureScreenshot', { format: 'png' })
        writeFileSync(file, Buffer.from(String(data), 'base64'))
      },
    }
    const value = await work(page)
    socket.close()
    return value
  } finally {
    browser.kill('SIGKILL')
    await ended
    rmSync(profile, { recursive: true, force: true, maxRetries: 5 })
  }
}
