/** What a runtime's release can, where CRI does not say it. One that is not containerd is taken for a new one. */

const since = (major: number, minor: number) => (name: string, version: string) => {
  const [ownMajor = 0, ownMinor = 0] = version.replace(/^v/, '').split('.').map(Number)
  return name !== 'containerd' || ownMajor > major || (ownMajor === major && ownMinor >= minor)
}

/** It mounts images by itself. */
export const mountsImages = since(2, 1)
/** It makes devices by their CDI names; older ones pass over them without a word. */
export const takesCdi = since(1, 7)
