# Inside the machine: takes commands from outside. A line on the channel names a script in the shared folder; its output
# goes to files beside it, and a line with its exit code back.
channel=/dev/virtio-ports/machine
[ -e "$channel" ] || channel=/dev/ttyS1

# No network leads out of the machine: an address and a default route of its own, as if one did.
ip link set lo up
ip link add eth0 type veth peer name outside
ip link set outside up
ip addr add 192.0.2.10/24 dev eth0
ip link set eth0 up
ip route add default via 192.0.2.1

exec 3<>"$channel"
[ -t 3 ] && stty raw -echo <&3
echo ready >&3
while read -r name <&3; do
  bash "/shared/$name.sh" >"/shared/$name.out" 2>"/shared/$name.err" </dev/null 3>&-
  echo "done $name $?" >&3
done
