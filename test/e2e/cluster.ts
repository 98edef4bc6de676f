/** A whole Tutti in a folder of its own, driven as a user would: `bin/tutti`, kubectl, signals. */
import { type ExecFileOptions, execFile, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readInstance } from '../../src/cli/instance.ts'
import { kubectlPath } from '../tools.ts'

export interface Result {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

const root = join(import.meta.dirname, '../..')
export const tuttiPath = join(root, 'bin/tutti')

/** Runs a program; resolves with what it printed, whatever its exit code. */
export function execute(
  program: string,
  args: readonly string[],
  { input, ...options }: ExecFileOptions & { input?: string } = {},
): Promise<Result> {
  return new Promise(resolve => {
    const child = execFile(
      program,
      [...args],
      { maxBuffer: 64 << 20, timeout: 300_000, ...options, encoding: 'utf8' },
      (error, stdout, stderr) =>
        resolve({
          code: error ? (typeof error.code === 'number' ? error.code : 1) : 0,
          stdout: String(stdout),
          stderr: String(stderr),
        }),
    )
    if (input !== undefined) child.stdin?.end(input)
  })
}

export interface RunOptions {
  readonly input?: string
  /** Added to the environment. */
  readonly env?: NodeJS.ProcessEnv
}

export interface E2eCluster {
  readonly dataDir: string
  readonly kubeconfig: string
  /** Runs `tutti ARGS` on this data directory. */
  tutti(args: readonly string[], options?: RunOptions): Promise<Result>
  /** Runs kubectl; throws with its output when it fails. */
  kubectl(args: readonly string[], options?: RunOptions): Promise<string>
  /** Runs kubectl; resolves with whatever came. */
  tryKubectl(args: readonly string[], options?: RunOptions): Promise<Result>
  /** Starts kubectl in the background. */
  spawnKubectl(args: readonly string[]): ReturnType<typeof spawn>
  up(): Promise<void>
  /** The pid of the running program. */
  pid(): number
  /** Deletes cluster and folder. */
  delete(): Promise<void>
}

/**
 * Starts a cluster on a free port, in a folder of its own in `parent`; `args` go to `tutti up`. Pods are processes unless
 * `args` name another runtime: a machine's containerd makes no difference to a test of something else. `files` lie in the
 * data folder before the first start.
 */
export async function startE2eCluster(
  args: readonly string[] = [],
  parent = tmpdir(),
  files: Readonly<Record<string, string>> = {},
): Promise<E2eCluster> {
  const folder = mkdtempSync(join(parent, 'tutti-e2e-'))
  const dataDir = join(folder, 'data')
  const kubeconfig = join(folder, 'kubeconfig')
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dataDir, { recursive: true, mode: 0o700 })
    writeFileSync(join(dataDir, name), text)
  }
  const env = {
    ...process.env,
    KUBECONFIG: kubeconfig,
    HOME: folder,
    TUTTI_DATA_DIR: dataDir,
    NO_COLOR: '1',
    ...(process.env.HOME ? { TUTTI_TEST_HOME: process.env.HOME } : {}),
  }
  const run =
    (program: string) =>
    (words: readonly string[], options: RunOptions = {}) =>
      execute(program, words, { ...options, env: { ...env, ...options.env } })
  const tutti = run(tuttiPath)
  const tryKubectl = run(kubectlPath())
  const runtime = args.some(word => word.startsWith('--runtime')) ? [] : ['--runtime', 'process']
  const up = async () => {
    const words = ['up', '--port', '0', '--kubeconfig', kubeconfig, ...runtime, ...args]
    const { code, stdout, stderr } = await tutti(words)
    if (code !== 0) throw new Error(`tutti up failed: ${stdout}${stderr}`)
  }
  await up()
  return {
    dataDir,
    kubeconfig,
    tutti,
    tryKubectl,
    async kubectl(words, options) {
      const { code, stdout, stderr } = await tryKubectl(words, options)
      if (code !== 0) throw new Error(`kubectl ${words.join(' ')} ended with ${code}: ${stderr || stdout}`)
      return stdout
    },
    spawnKubectl: words => spawn(kubectlPath(), [...words], { env }),
    up,
    pid() {
      const instance = readInstance(dataDir)
      if (!instance) throw new Error(`no instance runs in ${dataDir}`)
      return instance.pid
    },
    async delete() {
      const { code, stderr } = await tutti(['delete', '--yes'])
      if (code !== 0) throw new Error(`tutti delete failed: ${stderr}`)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
