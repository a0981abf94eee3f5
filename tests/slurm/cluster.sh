#!/usr/bin/env bash
# A Slurm of two nodes on this one machine, without systemd: what the tests of profiles/slurm submit to.
#     tests/slurm/cluster.sh start FOLDER [SHARED]        (needs root, and Debian's slurm-wlm and munge)
#     tests/slurm/cluster.sh stop FOLDER [SHARED]
# Each node is a slurmd of its own, with 2 cores and 2 "GPUs", which are files that every machine has: Slurm only counts them and hands them out.
# With SHARED the nodes are hosts of their own as far as one machine can be several: each has a network and mounts of its own, and they, and
# this one, meet in the folder SHARED, a GlusterFS that each mounts by the network (needs Debian's glusterfs-server).
set -euo pipefail
action=$1 folder=$(realpath -m "$2") shared=${3:-}
bridge=cellarbr network=10.213.7 # of the hosts
here=127.0.0.1 there=127.0.0.1
[ -z "$shared" ] || here=$network.1 there="$network.1[1-2]"
gres=/etc/slurm/gres.conf
conf=/etc/slurm/slurm.conf # a link to ours: some of Slurm's own programs look nowhere else

start() {
  [ ${#folder} -le 60 ] || { echo "cluster.sh: $folder is too long for the names of Slurm's sockets, which have 107 characters at most" >&2; exit 1; }
  mkdir -p "$folder"/{state,munge} /etc/slurm
  for file in $conf $gres; do
    [ ! -e $file ] || grep -qs 'ClusterName=cellar\|/dev/zero' $file || { echo "cluster.sh: $file is another cluster's" >&2; exit 1; }
  done
  head -c 1024 /dev/urandom > "$folder/munge/key"
  chmod 0400 "$folder/munge/key"
  munged --force --key-file="$folder/munge/key" --pid-file="$folder/munge/pid" --seed-file="$folder/munge/seed" \
    --log-file="$folder/munge/log" --socket="$folder/munge/socket"
  cat > "$folder/slurm.conf" <<END
ClusterName=cellar
SlurmctldHost=$(hostname)($here)
SlurmctldPort=17000
SlurmUser=root
AuthInfo=socket=$folder/munge/socket
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool-%n
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd-%n.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd-%n.log
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
ReturnToService=2
SlurmdParameters=config_overrides
MinJobAge=3600
GresTypes=gpu
NodeName=node[1-2] NodeHostname=$(hostname) NodeAddr=$there Port=[17001-17002] CPUs=2 RealMemory=24000 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  printf 'AutoDetect=off\nName=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > "$folder/gres.conf"
  ln -sfn "$folder/slurm.conf" $conf
  ln -sfn "$folder/gres.conf" $gres
  [ -z "$shared" ] || connect
  slurmctld
  for node in 1 2; do
    if [ -z "$shared" ]; then slurmd -N node$node; else enter_host $node "$0" be_host "$folder" "$shared" $node; fi
  done
  for _ in $(seq 60); do
    [ "$(sinfo --noheader --Node --format=%t 2> /dev/null | grep --count idle)" != 2 ] || return 0
    sleep 0.5
  done
  echo "cluster.sh: the nodes did not come up, see $folder/*.log" >&2
  exit 1
}

# Two networks of one host each, bridged to this one, and a file server on it that this one mounts as they will.
connect() {
  ip link add $bridge type bridge
  ip address add $network.1/24 dev $bridge
  ip link set $bridge up
  for node in 1 2; do
    ip netns add cellar$node
    ip link add cellar$node type veth peer name eth0 netns cellar$node
    ip link set cellar$node master $bridge up
    ip -n cellar$node address add $network.1$node/24 dev eth0
    ip -n cellar$node link set eth0 up
    ip -n cellar$node link set lo up
  done
  mkdir -p "$folder/files"
  cat > "$folder/server.vol" <<END
volume files
  type storage/posix
  option directory $folder/files
end-volume
volume locks
  type features/locks
  subvolumes files
end-volume
volume server
  type protocol/server
  option transport-type tcp
  option transport.socket.bind-address $network.1
  option transport.socket.listen-port 24999
  option auth.addr.locks.allow *
  subvolumes locks
end-volume
END
  cat > "$folder/client.vol" <<END
volume client
  type protocol/client
  option transport-type tcp
  option remote-host $network.1
  option remote-port 24999
  option remote-subvolume locks
end-volume
END
  glusterfsd --volfile="$folder/server.vol" --log-file="$folder/server.log" --pid-file="$folder/glusterfsd.pid"
  enter_shared
}

# What another host writes is seen at once: nothing of a file is taken for granted longer than that.
enter_shared() {
  mkdir -p "$shared"
  glusterfs --volfile="$folder/client.vol" --log-file="$folder/client.log" --attribute-timeout=0 --entry-timeout=0 "$shared"
  for _ in $(seq 20); do ! mountpoint --quiet "$shared" || ! stat "$shared" > /dev/null 2>&1 || return 0; sleep 0.5; done
  echo "cluster.sh: $shared cannot be mounted, see $folder/client.log" >&2
  exit 1
}

# With a network and mounts of its own; `ip netns exec` would take /sys away, where slurmd looks for cgroups.
enter_host() {
  nsenter --net=/run/netns/cellar"$1" unshare --mount --propagation private "${@:2}"
}

# No temporary file of another host is seen either.
be_host() {
  ! mountpoint --quiet "$shared" || umount --lazy "$shared"
  enter_shared
  mount --types tmpfs tmpfs /var/tmp
  slurmd -N "node$1"
}

# Waits for the end of each: the next cluster wants their ports.
stop() {
  timeout 20 scancel --user="$(id -un)" || true
  for _ in $(seq 20); do [ -n "$(timeout 5 squeue --noheader --states=RUNNING,COMPLETING 2> /dev/null)" ] || break; sleep 0.5; done
  for file in "$folder"/slurmd-*.pid "$folder/slurmctld.pid" "$folder/munge/pid"; do
    [ ! -e "$file" ] || end "$(cat "$file")"
  done
  if [ -n "$shared" ]; then
    ! mountpoint --quiet "$shared" || umount --lazy "$shared"
    for node in 1 2; do
      for process in $(ip netns pids cellar$node 2> /dev/null); do end "$process"; done
      ip netns delete cellar$node 2> /dev/null || true
      ip link delete cellar$node 2> /dev/null || true # gone with its other end, as a rule
    done
    ip link delete $bridge 2> /dev/null || true
    [ ! -e "$folder/glusterfsd.pid" ] || end "$(cat "$folder/glusterfsd.pid")"
  fi
  for link in $conf $gres; do
    [ "$(readlink -f $link)" != "$folder/$(basename $link)" ] || rm $link
  done
}

end() {
  kill "$1" 2> /dev/null || return 0
  for _ in $(seq 50); do kill -0 "$1" 2> /dev/null || return 0; sleep 0.1; done
  kill -9 "$1" 2> /dev/null || true
}

"$action" "${@:4}"
