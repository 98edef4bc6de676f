#!/bin/sh
# Run once when the disk is made, in the new root ($1), by mmdebstrap.
set -e
root=$1
here=$(dirname "$0")
install -m 755 "$here/mounts.sh" "$root/usr/local/sbin/machine-mounts"
install -m 644 "$here/mounts.service" "$root/etc/systemd/system/machine-mounts.service"
install -m 644 "$here/commands.service" "$root/etc/systemd/system/machine-commands.service"
systemctl --root="$root" -q enable machine-mounts.service machine-commands.service
mkdir -p "$root/repository" "$root/shared"
echo machine >"$root/etc/hostname"
printf '127.0.0.1 localhost machine\n' >"$root/etc/hosts"
printf 'nameserver 192.0.2.2\n' >"$root/etc/resolv.conf"
# What runs on such a machine is what a test starts. AppArmor's own service takes long to read profiles that nobody uses.
for unit in getty@tty1 getty.target apparmor containerd nfs-server nfs-blkmap rpcbind rpcbind.socket rpc-statd apt-daily.timer apt-daily-upgrade.timer \
  dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap fstrim.timer man-db.timer motd-news.timer quota quotarpc \
  systemd-modules-load; do
  case $unit in *.*) ;; *) unit=$unit.service ;; esac
  rm -f "$root/etc/systemd/system/"*.wants/"$unit"
done
mkdir -p "$root/etc/systemd/system.conf.d"
printf '[Manager]\nDefaultTimeoutStartSec=300\nLogColor=no\nShowStatus=no\n' >"$root/etc/systemd/system.conf.d/machine.conf"
useradd --root "$root" --create-home --shell /bin/bash ordinary
