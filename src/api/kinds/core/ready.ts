interface Told {
  readonly status?: { readonly conditions?: readonly { readonly type: string; readonly status: string }[] }
}

/** Whether an object (a pod, a node) says that it is ready. */
export const isReady = ({ status }: Told): boolean =>
  status?.conditions?.some(each => each.type === 'Ready' && each.status === 'True') ?? false
