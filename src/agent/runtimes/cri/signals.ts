/** Signals by their number in CRI's `Signal`; the first stands for the image's own. */
export const SIGNALS: readonly string[] = [
  'RUNTIME_DEFAULT',
  ...(
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP TSTP ' +
    'TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN'
  )
    .split(' ')
    .map(name => `SIG${name}`),
  ...Array.from({ length: 15 }, (_, at) => `SIGRTMIN+${at + 1}`),
  ...Array.from({ length: 14 }, (_, at) => `SIGRTMAX-${14 - at}`),
  'SIGRTMAX',
]
