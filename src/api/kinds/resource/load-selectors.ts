type DeviceSelectors = typeof import('./device-cel.ts')

let loaded: DeviceSelectors | undefined

/** Loads CEL for the selectors of devices; kinds that hold selectors await it before their rules are asked. */
export async function loadDeviceSelectors(): Promise<void> {
  loaded ??= await import('./device-cel.ts')
}

/** The loaded module. Throws an Error before {@link loadDeviceSelectors} is done. */
export function deviceSelectors(): DeviceSelectors {
  if (loaded === undefined) throw new Error('the selectors of devices are not loaded')
  return loaded
}
