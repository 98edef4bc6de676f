/**
 * A machine at one's fingertips: `node test/machine/shell.ts` starts one and runs each line of its input in it;
 * `reboot`, `poweroff` and `start` mean the machine. It ends with its input.
 */
import { createInterface } from 'node:readline'
import { startMachine } from './machine.ts'

const machine = await startMachine()
console.log(`ready; /shared is ${machine.shared}`)
const words: Record<string, () => Promise<void>> = {
  reboot: machine.reboot,
  poweroff: machine.powerOff,
  start: machine.start,
}
try {
  for await (const line of createInterface({ input: process.stdin })) {
    const word = words[line.trim()]
    if (word) await word()
    else {
      const { code, stdout, stderr } = await machine.run(line, 3_600_000)
      process.stdout.write(stdout)
      process.stderr.write(stderr)
      if (code !== 0) console.log(`exit code ${code}`)
    }
    console.log('--')
  }
} finally {
  await machine.close()
}
