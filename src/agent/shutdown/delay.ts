/** How long systemd-logind waits for locks at most: five seconds, unless its configuration says more (logind.conf(5)). */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { systemctl } from '../../lib/systemd.ts'

const FILE = '/etc/systemd/logind.conf.d/99-tutti.conf'

/** It reads its configuration again by this signal. */
const reload = () => systemctl('kill', '--signal=HUP', 'systemd-logind.service')

/** Allows `ms`, in a file of our own beside logind's. */
export async function allowDelay(ms: number): Promise<void> {
  mkdirSync(dirname(FILE), { recursive: true })
  writeFileSync(
    FILE,
    `# By Tutti: so long its pods have when the machine shuts down.\n[Login]\nInhibitDelayMaxSec=${Math.ceil(ms / 1000)}\n`,
  )
  await reload()
}

/** Takes that back, where it was said. Does not reject: logind reads its configuration at the next boot anyway. */
export async function forgetDelay(): Promise<void> {
  try {
    rmSync(FILE)
  } catch {
    return
  }
  await reload().catch(() => {})
}
