/** What is asked of systemd, where it runs the machine. */
import { existsSync } from 'node:fs'
import { programOutput } from './program-output.ts'

/** It must not keep a program that is to end, ms. */
const ASK_MS = 5000

/** Whether this machine is run by systemd (sd_booted(3)). */
export const isBootedBySystemd = (): boolean => existsSync('/run/systemd/system')

/** Runs systemctl. Rejects with what it says where it fails. */
export async function systemctl(...args: string[]): Promise<void> {
  try {
    await programOutput('systemctl', args)
  } catch (cause) {
    const { stderr = '', message } = cause as Error & { stderr?: string }
    throw new Error(`systemctl ${args.join(' ')} failed: ${stderr.trim() || message}`, { cause })
  }
}

/** `systemctl is-system-running` says "stopping", and fails for that. */
async function isStopping(...scope: string[]): Promise<boolean> {
  try {
    await programOutput('systemctl', [...scope, 'is-system-running'], { timeoutMs: ASK_MS })
    return false
  } catch (error) {
    return (error as { stdout?: string }).stdout?.trim() === 'stopping'
  }
}

/**
 * Whether the machine is going down; to an ordinary user it is as good as that when the user's own service manager is,
 * as all that it runs ends with it.
 */
export async function isMachineStopping(): Promise<boolean> {
  if (!isBootedBySystemd()) return false
  return (await isStopping()) || (process.getuid?.() !== 0 && (await isStopping('--user')))
}
