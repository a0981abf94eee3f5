#!/usr/bin/env bash
# A Slurm of two nodes on this one machine, without systemd: what the tests of profiles/slurm submit to.
#     tests/slurm/cluster.sh start FOLDER        (needs root, and Debian's slurm-wlm and munge)
#     tests/slurm/cluster.sh stop FOLDER
# Each node is a slurmd of its own, with 2 cores and 2 "GPUs", which are files that every machine has: Slurm only counts them and hands them out.
set -euo pipefail
action=$1 folder=$(realpath -m "$2")
gres=/etc/slurm/gres.conf
conf=/etc/slurm/slurm.conf # a link to ours: some of Slurm's own programs look nowhere else

start() {
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
SlurmctldHost=$(hostname)(127.0.0.1)
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
NodeName=node[1-2] NodeHostname=$(hostname) NodeAddr=127.0.0.1 Port=[17001-17002] CPUs=2 RealMemory=24000 Gres=gpu:2
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
  printf 'AutoDetect=off\nName=gpu File=/dev/null\nName=gpu File=/dev/zero\n' > "$folder/gres.conf"
  ln -sfn "$folder/slurm.conf" $conf
  ln -sfn "$folder/gres.conf" $gres
  slurmctld
  for node in node1 node2; do slurmd -N $node; done
  for _ in $(seq 60); do
    [ "$(sinfo --noheader --Node --format=%t 2> /dev/null | grep --count idle)" != 2 ] || return 0
    sleep 0.5
  done
  echo "cluster.sh: the nodes did not come up, see $folder/*.log" >&2
  exit 1
}

stop() {
  for file in "$folder"/slurmd-*.pid "$folder/slurmctld.pid" "$folder/munge/pid"; do
    [ ! -e "$file" ] || kill "$(cat "$file")" || true
  done
  for link in $conf $gres; do
    [ "$(readlink -f $link)" != "$folder/$(basename $link)" ] || rm $link
  done
}

"$action"
