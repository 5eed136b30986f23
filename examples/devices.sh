#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# devices.sh - a machine with the devices that people use, each on a real back end.
#
# Usage: examples/devices.sh KERNEL INITRD [OPTION...]
#	KERNEL and INITRD of any Linux with virtio drivers; OPTION is armlet's own.
#	With ARMLET=PROGRAM that program is run.
#
# It works in the current folder, and what stays there is data.img:
#
#	data.img	the guest's /dev/vda, made on first use: written as on any disk
#	base.img	/dev/vdb, if there is one: the guest may write, the file stays
#	this folder	mount -t 9p -o trans=virtio,version=9p2000.L here /mnt, read-only
#	console.sock	a second console, hvc0:  socat -,raw,echo=0 UNIX-CONNECT:console.sock
#	agent.sock	/dev/virtio-ports/org.example.agent: bytes for programs of your own
#	the network	the host's own, by passt, if that is installed: DHCP in the guest;
#			the host's port 2222 is the guest's port 22
#	the balloon	memory that the guest frees comes back to the host
set -eu
[ $# -ge 2 ] || {
	sed -n '2,/^set/s/^#$//; s/^# //p' "$0" >&2
	exit 125
}
kernel=$1 initrd=$2
shift 2

# A file that takes no space until it is written to.
[ -e data.img ] || truncate -s 1G data.img

# What depends on the host goes in front of the options that the user gave.
[ ! -e base.img ] || set -- --disk base.img,ephemeral "$@"
! command -v passt >/dev/null || set -- --net user --publish 127.0.0.1:2222:22 "$@"

exec "${ARMLET:-armlet}" run --kernel "$kernel" --initrd "$initrd" --cpus 2 --mem 256M \
	--append console=ttyAMA0 \
	--disk data.img,serial=data --volume "$PWD:here:ro:fs=9p" \
	--console unix:console.sock --port org.example.agent=unix:agent.sock --balloon "$@"
