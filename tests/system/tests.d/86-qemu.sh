# SPDX-License-Identifier: Apache-2.0
# QEMU's command line, told to armlet by the names of QEMU's program and its own.
# shellcheck shell=sh

# qemu_names: a folder in front of PATH has armlet as qemu-system-aarch64, and armlet-qemu.
qemu_names() {
	mkdir -p names
	ln -sf "$(readlink -f "$ARMLET")" names/qemu-system-aarch64
	ln -sf qemu-system-aarch64 names/armlet-qemu
	PATH=$PWD/names:$PATH
}

# qemu ARGUMENT...: as armlet of lib.sh, but found by QEMU's name.
qemu() {
	qemu_names
	STATUS=0
	qemu-system-aarch64 "$@" >out 2>err </dev/null || STATUS=$?
}

# qemu_refused PATTERN ARGUMENT...
qemu_refused() {
	wanted=$1
	shift
	qemu "$@"
	expect_refusal "$wanted"
}

describe qemu_kunit "what kunit.py calls: the guest's output on standard output, and nothing else" 90
test_qemu_kunit() {
	guest_script <<-'END'
		echo "TAP version 14"
		echo "1..1"
		echo "ok 1 - booted $(uname -r)"
		grep MemTotal /proc/meminfo
		reboot -f
	END
	"$ARMLET_TOOLS/pack" gzip "$(kernel 6.1)" Image.gz || fail "pack fails"
	qemu_names
	# Its standard error is its standard output. The initrd is what kunit.py has not.
	STATUS=0
	qemu-system-aarch64 -nodefaults -m 1024 -kernel Image.gz -append "$words kunit_shutdown=reboot" \
		-no-reboot -nographic -accel kvm -accel hvf -accel tcg -serial stdio -machine virt \
		-cpu max -initrd initrd >out 2>&1 </dev/null || STATUS=$?
	plain_out
	expect_status 0
	expect_out '^TAP version 14$' '^ok 1 - booted 6\.1\.' '^MemTotal: *[0-9]\{6,7\} kB'
	expect_no_out '^armlet'
}

describe qemu_disk "disks of -drive, -device and a word alone, with -snapshot; an entropy source" 90
test_qemu_disk() {
	for name in a b c; do
		dd if=/dev/zero of=$name.img bs=1024 count=64 2>/dev/null
		printf 'disk %s\n' $name | dd of=$name.img conv=notrunc 2>/dev/null
	done
	guest_script <<-'END'
		for disk in vda vdb vdc; do
			echo "$disk $(head -n 1 /dev/$disk) $(cat /sys/block/$disk/ro) $(cat /sys/block/$disk/serial)"
		done
		echo overwritten >/dev/vda && sync && echo "then $(head -n 1 /dev/vda)"
	END
	qemu -M virt -cpu host -enable-kvm -m 256 -nographic -kernel "$(kernel 6.1)" -initrd initrd \
		-append "$words" -drive file=c.img,format=raw,if=none,id=d0 \
		-device virtio-blk-device,drive=d0,serial=third -hda a.img \
		-drive if=virtio,file=b.img,format=raw,readonly=on -snapshot -device virtio-rng-pci
	plain_out
	expect_status 0
	expect_out '^vda disk a 0 disk0$' '^vdb disk b 1 disk1$' '^vdc disk c 0 third$' '^then overwritten$'
	expect_silence
	[ "$(head -n 1 a.img)" = "disk a" ] || fail "-snapshot has written to the disk"
}

describe qemu_shared "-virtfs, and -netdev user with hostfwd" 90
test_qemu_shared() {
	emulated || skip "the network of this host is not ours to change"
	need_helper diod
	need_helper passt
	need ip
	upstream
	mkdir folder
	echo 'of the host' >folder/text
	guest_script <<-'END'
		mkdir -p /mnt
		mount -t 9p -o trans=virtio,version=9p2000.L tag /mnt && echo "text $(cat /mnt/text)"
		echo x 2>/dev/null >/mnt/other || echo "not written"
		for net in /sys/class/net/*; do
			[ ! -e "$net/device" ] || echo "net $(cat "$net/address")"
		done
	END
	qemu -M virt -m 256 -display none -kernel "$(kernel 6.1)" -initrd initrd -append "$words" \
		-virtfs local,path=folder,mount_tag=tag,security_model=none,readonly=on \
		-netdev user,id=n0,hostfwd=tcp:127.0.0.1:2222-:22 \
		-device virtio-net-pci,netdev=n0,mac=52:54:00:12:34:56
	plain_out
	expect_status 0
	ip link del armlan
	expect_out '^text of the host$' '^not written$' '^net 52:54:00:12:34:56$'
}

describe qemu_control "-S with -qmp, and -pidfile; cont lets the guest go on"
test_qemu_control() {
	qemu_names
	armlet-qemu -S -qmp unix:api,server=on,wait=off -pidfile pid -m 64 -machine virt \
		-nographic -kernel "$(payload_path null)" </dev/null >out 2>err &
	PID=$!
	wait_until 10 test -S api || fail "there is no socket"
	[ "$(cat pid)" = "$PID" ] || fail "the process is $PID, not $(cat pid)"
	control
	expect_answer '{"return": {"running": false, "status": "prelaunch"}}' query-status
	expect_answer '{"return": {}}' cont
	finish
	expect_status 0
	expect_silence
	[ ! -e pid ] || fail "the number stays behind"
}

describe qemu_signal "SIGTERM ends the machine at once, as kunit.py wants it of one that hangs"
test_qemu_signal() {
	qemu_names
	qemu-system-aarch64 -m 64 -machine virt -nographic -kernel "$(payload_path idle)" \
		-append seconds=100 </dev/null >out 2>err &
	PID=$!
	wait_for 'idle begins'
	kill -TERM "$PID"
	finish 10
	expect_status 143
}

describe qemu_serial "-serial file: and null, and a virtio console on standard output"
test_qemu_serial() {
	echo old >log
	qemu -M virt -m 64 -kernel "$(payload_path conventions)" -serial file:log -display none
	expect_status 0
	[ ! -s out ] || fail "standard output is not empty"
	grep -q '^done' log || fail "the file has not the output"
	! grep -q old log || fail "the file has what it had"
	qemu -M virt -m 64 -kernel "$(payload_path conventions)" -serial null
	expect_status 0
	[ ! -s out ] || fail "standard output is not empty"
	qemu -serial file:nowhere/log -kernel "$(payload_path null)"
	expect_refusal 'serial file:nowhere/log: No such file'
}

describe qemu_words "the subcommand; -armlet-print, -help and -version start nothing"
test_qemu_words() {
	armlet qemu -m 64 -kernel "$(payload_path null)"
	expect_status 0
	armlet qemu -armlet-print -smp 2 -append 'a b' -kernel Image -serial null
	expect_status 0
	expect_out "^armlet run --cpus 2 --append 'a b' --kernel Image --mem 128M --console none </dev/null >/dev/null\$"
	qemu -help
	expect_status 0
	expect_out '^Usage: armlet-qemu' '^  -kernel FILE'
	qemu --version
	expect_out '^armlet [0-9]'
	qemu -accel help
	expect_out '^kvm$'
}

describe qemu_refused "what armlet has not is refused by its name"
test_qemu_refused() {
	qemu_refused 'the option -kernal of QEMU; did you mean -kernel?' -kernal x
	qemu_refused 'runs guests by KVM alone' -kernel x -accel tcg
	qemu_refused 'cpu: armlet has not model=cortex-a57, but host max' -kernel x -cpu cortex-a57
	qemu_refused "has not the device 'virtio-gpu-pci'" -device virtio-gpu-pci
	qemu_refused 'daemonize: .*detach' -daemonize
	qemu_refused 'no firmware' -bios /dev/null
	qemu_refused 'no kernel is given' -m 64
	qemu_refused "--mem: '12Q' is not a size" -m 12Q
	qemu_refused 'pidfile nowhere/pid: No such file' -kernel x -pidfile nowhere/pid
}
