# SPDX-License-Identifier: Apache-2.0
# armlet test: kernels that say what they have, and roots for those that can mount no folder.
# shellcheck shell=sh

# root_of: a folder that is a root, of busybox, with a folder to work in.
root_of() {
	mkdir -p root/bin root/usr/sbin root/lib root/work/deep
	cp /bin/busybox root/bin
	for program in sh cat ls; do ln -s /bin/busybox "root/bin/$program"; done
	echo data >root/work/deep/data
	ln -s deep/data root/work/link
}

# poor_kernel: built/Image, the guest's kernel, with a .config that has no way to a folder.
poor_kernel() {
	need_guest "$guest"
	mkdir -p built
	[ -e built/Image ] || cp "$(kernel "$guest")" built/Image
	printf 'CONFIG_%s\n' VIRTIO_MMIO=m VIRTIO_CONSOLE=m BLK_DEV_INITRD=y DEVTMPFS=y >built/.config
}

# modules_of: the folder of the guest's modules.
modules_of() { echo "$(dirname "$(readlink -f "$(kernel "$guest")")")"/lib/modules/*; }

# built ARGUMENT...: with that kernel.
built() { armlet test -t 120 -k built/Image --modules "$(modules_of)" -m 256 -a "$quick" "$@"; }

# embed CONFIG: as CONFIG_IKCONFIG has it.
embed() {
	printf IKCFG_ST
	gzip -9c "$1"
	printf IKCFG_ED
}

describe trial_copy "armlet test --root DIR:fs=copy: the command, its libraries and its folder, in the guest's memory" 150
test_trial_copy() {
	tree_of tools.img
	for guest in 6.1 6.12; do
		judge -m 512 --root tree:fs=copy -- fio --version
		expect_status 0
		expect_out '^fio-'
		expect_silence
	done
	guest=6.1
	root_of
	printf '#!/bin/sh\ncat link "$1"\necho new >link\nexit 9\n' >root/work/run
	chmod 755 root/work/run
	judge --root root:fs=copy -w /work -- ./run deep/data
	expect_status 9
	printf 'data\ndata\n' | cmp - out || fail "it printed: $(cat out)"
	[ "$(cat root/work/deep/data)" = data ] || fail "the host's file was changed"
	judge --root root:fs=copy -- nosuch
	expect_status 127
	said "'nosuch' was not found in the guest"
	judge --root root:fs=copy -w /nosuch -- ls
	expect_status 126
	said "the folder '/nosuch' cannot be entered in the guest (errno 2)"
	judge --root root:fs=copy -e PATH=/bin:/work -- run /work/deep/data
	expect_status 9
	expect_out '^data$'
}

describe trial_copy_bounds "armlet test --root DIR:fs=copy: what is missing is named, and nothing is of another place" 120
test_trial_copy_bounds() {
	need_helper diod
	root_of
	cp /usr/sbin/diod root/usr/sbin
	cp /lib/ld-linux-aarch64.so.1 root/lib
	judge --root root:fs=copy -- diod --version
	expect_status 127
	expect_err "the library 'lib.*', which '/usr/sbin/diod' needs, is not found in the root"
	echo outside >outside
	ln -s ../../../outside root/work/out
	ln -s "$DIR/outside" root/work/absolute
	judge --root root:fs=copy -w /work -- sh -c 'cat out; cat absolute; ls /work; ls /outside'
	[ "$STATUS" -ne 0 ] || fail "it has a file of another place"
	expect_out '^deep$'
	expect_no_out '^outside'
	head -c 33554433 /dev/zero >root/work/large
	judge --root root:fs=copy -w /work -- sh -c 'ls; cat deep/data'
	expect_status 0
	expect_out '^data$'
	expect_no_out large
	expect_err 'the root is a copy in memory; left out: 1 that cannot be read or are too much for its memory'
}

describe trial_no_share "armlet test: a kernel without virtiofs and 9p has a copy of the root, and says so" 120
test_trial_no_share() {
	root_of
	poor_kernel
	built --root root -w /work -- cat link
	expect_status 0
	expect_out '^data$'
	expect_err 'the root is a copy in memory, [0-9]* files of [0-9.]* MB, as the kernel has neither virtiofs (CONFIG_VIRTIO_FS) nor 9p (CONFIG_9P_FS and CONFIG_NET_9P_VIRTIO)$'
	# The kernel's own says otherwise, and counts.
	need_helper diod
	cp built/.config config
	printf 'CONFIG_%s\n' 9P_FS=m NET_9P_VIRTIO=m >>config
	embed config >>built/Image
	built --root root -w /work -- cat link
	expect_status 0
	expect_out '^data$'
	expect_silence
}

describe trial_either "armlet test: a kernel of which nothing is known is offered virtiofs and 9p" 120
test_trial_either() {
	server_of virtiofs
	root_of
	need_guest "$guest"
	mkdir alone modules
	cp "$(kernel "$guest")" alone/vmlinuz
	for folder in $(modules_of); do ln -s "$folder/kernel" modules/kernel; done
	sed /virtiofs/d modules/kernel/../modules.dep >modules/modules.dep
	alone() { armlet test -t 120 -k alone/vmlinuz --modules modules -m 256 -a "$quick" --root root --rw "$@"; }
	alone -- sh -c 'cat /proc/mounts; cat /work/link; echo new >/work/deep/data'
	expect_status 0
	expect_out '^armlet.root9 / 9p ' '^data$'
	[ "$(cat root/work/deep/data)" = new ] || fail "it was not written"
	sed -i /9p/d modules/modules.dep
	alone -- true
	expect_status 125
	said 'the kernel has neither virtiofs (CONFIG_VIRTIO_FS) nor 9p (CONFIG_9P_FS and CONFIG_NET_9P_VIRTIO)'
}

describe bad_trial_copy "armlet test: a copy of the root is refused for what it cannot be, and kernels by what they have in them"
test_bad_trial_copy() {
	null=$(payload_path null)
	bad() {
		wanted=$1
		shift
		armlet test "$@"
		expect_refusal "$wanted"
	}
	bad '--rw: the root is a copy, of which nothing stays' -k "$null" --root /:fs=copy --rw -- true
	bad '--root /:fs=copy makes the initramfs; give none with -i' -k "$null" -i "$null" --root /:fs=copy -- true
	mkdir built
	printf '# CONFIG_VIRTIO_CONSOLE is not set\nCONFIG_VIRTIO_MMIO=y\n' >config
	{
		cat "$null"
		embed config
	} >built/Image
	echo CONFIG_VIRTIO_CONSOLE=y >built/.config
	bad "the kernel has no CONFIG_VIRTIO_CONSOLE, as its 'CONFIG_IKCONFIG' says" -k built/Image --root none -- true
	gzip -c built/Image >built/Image.gz
	bad "the kernel has no CONFIG_VIRTIO_CONSOLE, as its 'CONFIG_IKCONFIG' says" -k built/Image.gz --root none -- true
}
