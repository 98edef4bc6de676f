/** Every command, in the order of `tutti --help`. */
import type { CommandSpec } from '../command.ts'
import { apply } from './apply.ts'
import { completion } from './completion.ts'
import { cordon, uncordon } from './cordon.ts'
import { deleteCommand } from './delete.ts'
import { down } from './down.ts'
import { drain } from './drain.ts'
import { example } from './example.ts'
import { exec } from './exec.ts'
import { get } from './get.ts'
import { image } from './image.ts'
import { join } from './join.ts'
import { logs } from './logs.ts'
import { portForward } from './port-forward.ts'
import { rollout } from './rollout.ts'
import { run } from './run.ts'
import { scale } from './scale.ts'
import { service } from './service.ts'
import { status } from './status.ts'
import { token } from './token.ts'
import { top } from './top.ts'
import { up } from './up.ts'
import { version } from './version.ts'
import { why } from './why.ts'

export const commands: readonly CommandSpec[] = [
  up,
  down,
  deleteCommand,
  status,
  token,
  join,
  drain,
  cordon,
  uncordon,
  service,
  why,
  run,
  example,
  logs,
  get,
  apply,
  scale,
  rollout,
  exec,
  portForward,
  image,
  top,
  completion,
  version,
]
