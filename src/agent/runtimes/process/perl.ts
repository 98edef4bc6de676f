/** Calls of the kernel that Node cannot make: the machine's perl makes them. */
import { callNumber, machineArchitecture } from './seccomp/numbers.ts'

/**
 * Arguments of perl that run `source`, in which `@name` stands for the number of the call `name`, with `args`. The
 * program is one line, as it is one of the words of a list that has one a line.
 */
export function perlWords(source: string, args: readonly string[] = []): string[] {
  const program = source
    .replace(/@(\w+)/g, (all, name: string) => {
      const number = machineArchitecture && callNumber(name, machineArchitecture)
      return number === undefined ? all : String(number)
    })
    .split('\n')
    .map(line => line.trim())
    .join(' ')
    .trim()
  return ['-f', '-e', program, ...args]
}

/** The end of a program that stands before a command: it becomes that. */
const COMMAND = 'delete $ENV{PERL_BADLANG}; exec { $ARGV[0] } @ARGV; die "$ARGV[0]: $!\\n";'

/**
 * Words that run `source` and then the command that follows them. `env` and `perl` are how these are run where it runs.
 * Nothing is said of locales that an image does not have, and nothing of the image's is loaded.
 */
export const perlBefore = (
  env: readonly string[],
  perl: readonly string[],
  source: string,
  args: readonly string[] = [],
): string[] => [...env, 'PERL_BADLANG=0', ...perl, ...perlWords(`${source} ${COMMAND}`, args)]
