#!/bin/bash
# Boots systemd over a tree that it cannot change: an overlay in memory. Run by run-package.sh in namespaces of its own.
#
#   boot.sh TREE SCRATCH      TREE is / or a tree of debootstrap; it is seen below SCRATCH/tree, what changes below SCRATCH/up/new
set -eu
TREE=$1 SCRATCH=$2 M=$2/tree
mount --make-rprivate /
mount -t tmpfs up "$SCRATCH/up"
mkdir "$SCRATCH/up/new" "$SCRATCH/up/work"
mount -t overlay tree -o "lowerdir=$TREE,upperdir=$SCRATCH/up/new,workdir=$SCRATCH/up/work" "$M"
mount -t proc proc "$M/proc"
mount -t sysfs -o ro sys "$M/sys"
mount -t cgroup2 cgroup "$M/sys/fs/cgroup"
mount -t tmpfs run "$M/run"
mount -t tmpfs tmp "$M/tmp"
mount -t tmpfs -o mode=755 dev "$M/dev"
for device in null zero full random urandom tty; do
    touch "$M/dev/$device"
    mount --bind "/dev/$device" "$M/dev/$device"
done
mkdir "$M/dev/pts" "$M/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 pts "$M/dev/pts"
ln -s pts/ptmx "$M/dev/ptmx"
ln -s /proc/self/fd "$M/dev/fd"
mkdir "$M/run/test" # systemd empties /tmp
cp "$SCRATCH"/*.deb "$M/run/test/"
cp "$SCRATCH/flow.py" "$M/run/test/"
# Of the machine nothing starts, and nothing of a sensor that ran on it is there.
rm -rf "$M/var/lib/sealdns" "$M/var/log/sealdns" "$M/etc/sealdns" "$M"/etc/systemd/system/sysinit.target.wants/*
: >"$M/etc/machine-id"
printf '[Unit]\nDescription=the test\nRequires=basic.target\nAfter=basic.target\n' >"$M/etc/systemd/system/package-test.target"
printf '#!/bin/sh\nexit 0\n' >"$M/usr/sbin/policy-rc.d" # a container's says that nothing may start
chmod 755 "$M/usr/sbin/policy-rc.d"
exec chroot "$M" env -i container=other PATH="$PATH" /lib/systemd/systemd --unit=package-test.target --show-status=0
