#!/bin/bash
# Mounts the folders from outside, before anything is started that may stand in them.
if grep -q 'machine.hypervisor=uml' /proc/cmdline; then
  word() { sed -n "s/.*$1=\([^ ]*\).*/\1/p" /proc/cmdline; }
  mount -t hostfs none /repository -o "ro,$(word machine.repository)"
  mount -t hostfs none /shared -o "$(word machine.shared)"
else
  options=trans=virtio,version=9p2000.L,msize=524288
  mount -t 9p repository /repository -o "$options,cache=loose,ro"
  mount -t 9p shared /shared -o "$options"
fi
