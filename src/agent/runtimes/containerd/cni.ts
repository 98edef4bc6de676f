/**
 * The way of a pod's network namespace, which the agent made, into containerd, which wants to have its own made by CNI:
 * a plugin of a few lines of shell puts the agent's namespace in the place of containerd's. It looks the pod up by its
 * uid; taking the network away is the agent's part, so the plugin does nothing then.
 */
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomic } from '../../../lib/atomic-file.ts'

const CNI_VERSION = '0.4.0'
const PLUGIN = 'tutti'

/** POSIX sh, started for each pod: no more programs than the two that are needed. */
const script = (pods: string) => `#!/bin/sh
# Written by Tutti: joins a pod of containerd to the network namespace that Tutti made for it.
PATH=/usr/sbin:/usr/bin:/sbin:/bin
case $CNI_COMMAND in
VERSION)
  echo '{"cniVersion":"${CNI_VERSION}","supportedVersions":["0.3.0","0.3.1","${CNI_VERSION}","1.0.0"]}'
  ;;
ADD)
  uid=\${CNI_ARGS##*K8S_POD_UID=}
  uid=\${uid%%;*}
  fail() {
    echo "{\\"cniVersion\\":\\"${CNI_VERSION}\\",\\"code\\":100,\\"msg\\":\\"$1\\"}"
    exit 1
  }
  case $uid in */* | '') fail "no pod uid in CNI_ARGS" ;; esac
  { read -r namespace && read -r result; } <"${pods}/$uid" || fail "pod $uid has no network"
  umount -l "$CNI_NETNS" && mount --bind "$namespace" "$CNI_NETNS" || fail "$namespace cannot be put at $CNI_NETNS"
  echo "$result"
  ;;
esac
`
/** Every pod's loopback is up already. */
const loopback = `#!/bin/sh
# Written by Tutti: the loopback of its pods is up already.
case $CNI_COMMAND in
VERSION) echo '{"cniVersion":"${CNI_VERSION}","supportedVersions":["0.3.0","0.3.1","${CNI_VERSION}","1.0.0"]}' ;;
ADD) echo '{"cniVersion":"${CNI_VERSION}","interfaces":[{"name":"lo","sandbox":"'"$CNI_NETNS"'"}],"ips":[{"version":"4","address":"127.0.0.1/8","interface":0}]}' ;;
esac
`

export interface CniPlugin {
  /** Notes where a pod's network is, before its sandbox is made. */
  add(uid: string, netns: string, ips: readonly string[]): void
  remove(uid: string): void
}

/** Writes plugin and configuration; `directory` is emptied at a reboot. */
export function installCni(
  directory: string,
  { bin, conf }: { readonly bin: string; readonly conf: string },
): CniPlugin {
  const pods = join(directory, 'pods')
  for (const folder of [pods, bin, conf]) mkdirSync(folder, { recursive: true, mode: 0o700 })
  for (const [name, text] of [
    [PLUGIN, script(pods)],
    ['loopback', loopback],
  ] as const) {
    writeFileAtomic(join(bin, name), text)
    chmodSync(join(bin, name), 0o755)
  }
  writeFileAtomic(
    join(conf, '10-tutti.conflist'),
    JSON.stringify({ cniVersion: CNI_VERSION, name: PLUGIN, plugins: [{ type: PLUGIN }] }),
  )
  return {
    add(uid, netns, ips) {
      const addresses = ips.map(ip => ({
        version: ip.includes(':') ? '6' : '4',
        address: `${ip}/${ip.includes(':') ? 128 : 32}`,
        interface: 0,
      }))
      const result = {
        cniVersion: CNI_VERSION,
        interfaces: [{ name: 'eth0', sandbox: netns }],
        ips: addresses,
        dns: {},
      }
      writeFileSync(join(pods, uid), `${netns}\n${JSON.stringify(result)}\n`)
    },
    remove: uid => rmSync(join(pods, uid), { force: true }),
  }
}
