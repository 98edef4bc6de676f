import { type CommandSpec, defineCommand } from '../command.ts'
import { UserError } from '../context.ts'

const words = (commands: readonly CommandSpec[]) =>
  commands.map(({ name, options = [] }) => ({
    name,
    flags: options.flatMap(({ flags }) => flags.split(/[ ,]+/).filter(part => part.startsWith('-'))),
  }))

const shells: Record<string, (commands: readonly CommandSpec[]) => string> = {
  bash: commands => `_tutti() {
  local word=\${COMP_WORDS[COMP_CWORD]}
  case "$COMP_CWORD:\${COMP_WORDS[1]}" in
    1:*) COMPREPLY=($(compgen -W "${words(commands)
      .map(({ name }) => name)
      .join(' ')}" -- "$word")) ;;
${words(commands)
  .map(({ name, flags }) => `    *:${name}) COMPREPLY=($(compgen -W "${flags.join(' ')}" -- "$word")) ;;`)
  .join('\n')}
  esac
}
complete -o default -F _tutti tutti
`,
  zsh: commands => `#compdef tutti
_tutti() {
  if (( CURRENT == 2 )); then
    local -a verbs=(${commands.map(({ name, summary }) => `'${name}:${summary.replaceAll("'", "'\\''")}'`).join(' ')})
    _describe command verbs
  else
    case $words[2] in
${words(commands)
  .map(({ name, flags }) => `      ${name}) compadd -- ${flags.join(' ')}; _files ;;`)
  .join('\n')}
    esac
  fi
}
compdef _tutti tutti
`,
  fish: commands =>
    `${commands.map(({ name, summary }) => `complete -c tutti -n __fish_use_subcommand -a ${name} -d '${summary.replaceAll("'", "\\'")}'`).join('\n')}\n`,
}

export const completion = defineCommand({
  name: 'completion',
  arguments: '<shell>',
  summary: 'print completions for bash, zsh or fish',
  help: '  source <(tutti completion bash)',
  async run([shell = ''], _options, { io }) {
    const script = shells[shell]
    if (!script) throw new UserError(`no completions for "${shell}"`, `There are: ${Object.keys(shells).join(', ')}`)
    // Loaded here: the list of commands names this file, too.
    const { commands } = await import('./all.ts')
    io.out(script(commands))
    return 0
  },
})
