/**
 * `npm run build`: dist/tutti.js (the program, one file), dist/testing.js (`tutti/testing`) and its types. What
 * `npm pack` ships. Heavy parts stay separate chunks, loaded when first used.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'

const root = join(import.meta.dirname, '..')
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
rmSync(join(root, 'dist'), { recursive: true, force: true })

await build({
  entryPoints: {
    tutti: join(root, 'src/cmd/start.mjs'),
    testing: join(root, 'src/cmd/testing.ts'),
    'sqlite-worker': join(root, 'src/store/sqlite/worker-entry.ts'),
    'gateway-worker': join(root, 'src/gateway/thread/entry.ts'),
    'yaml-worker': join(root, 'src/apiserver/handlers/yaml-thread-entry.ts'),
  },
  outdir: join(root, 'dist'),
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  sourcemap: true,
  sourcesContent: false,
  legalComments: 'linked',
  // Packages stay packages: npm installs them, and their licences come along.
  external: Object.keys(dependencies),
  logLevel: 'warning',
})

const types = spawnSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], {
  cwd: root,
  stdio: 'inherit',
})
process.exit(types.status ?? 1)
