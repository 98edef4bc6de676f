/** Names of processors as Go has them, and with it Kubernetes and images: `amd64` for Node's `x64`. */

const NAMES: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386' }

/** Of a processor in Node's words; of this machine's when absent. */
export const architecture = (nodes: string = process.arch): string => NAMES[nodes] ?? nodes
