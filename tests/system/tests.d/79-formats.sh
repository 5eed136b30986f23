# SPDX-License-Identifier: Apache-2.0
# Disks of other formats, disks by NBD, and disks that fail. A server of a test's own is
# a qemu-nbd with --fork, which returns when it can be reached.
# shellcheck shell=sh

# serve ARGUMENT...: a qemu-nbd, process $server, until kill_server or the end of the test.
serve() {
	qemu-nbd --fork --persistent --pid-file="$DIR/server.pid" "$@" >server.log 2>&1 || {
		cat server.log
		fail "qemu-nbd does not serve"
	}
	server=$(cat server.pid)
	on_exit "kill -KILL $server 2>/dev/null"
}

kill_server() {
	kill -KILL "$server"
	wait_until 10 gone "$server" || fail "the server does not end"
}

# image_server FILE: the process that armlet has for this image.
image_server() {
	for process in $(grep -ls "^PPid:[^0-9]*$PID\$" /proc/[0-9]*/status); do
		process=${process%/status}
		tr '\0' '\n' <"$process/cmdline" | grep -q "/$1\$" && echo "${process#/proc/}"
	done
}

# lines_err PATTERN NUMBER: standard error has so many such lines.
lines_err() { [ "$(grep -c "$1" err)" -eq "$2" ]; }

# pauses NUMBER: so many times, until now.
pauses() {
	wait_until 60 paused_or_gone "$1"
	lines_err 'the machine is paused' "$1" || fail "the machine is not paused $1 times"
}

paused_or_gone() { lines_err 'the machine is paused' "$1" || gone "$PID"; }

# raw_sum IMAGE FORMAT: of what the disk's bytes are.
raw_sum() {
	qemu-img convert -f "$2" -O raw "$1" raw
	sum raw
}

# expect_sound IMAGE FORMAT
expect_sound() { qemu-img check -q -f "$2" "$1" >log 2>&1 || { cat log; fail "$1 is damaged"; }; }

# ---- Images -----------------------------------------------------------------

# The second boot finds the file systems of the first.
guest_of_two_boots() {
	data_for_guest 512
	{
		guest_functions
		guest_programs
		cat <<-'END'
			fs=/mnt/tmp/fs
			first() {
				chroot /mnt mkfs.ext4 -q "/dev/$1"
				mount -t ext4 "/dev/$1" $fs
				cp data $fs/junk
				cp data $fs/data
				# Pieces, in an order that is not theirs, and several at once.
				for piece in 3 1 0 2; do
					dd if=data of=$fs/pieces bs=32768 skip=$((piece * 4)) seek=$((piece * 4)) \
						count=4 conv=notrunc oflag=direct 2>/dev/null &
				done
				wait
				(cd $fs && md5sum data pieces >sums && rm junk && sync && fstrim .)
			}
			again() {
				chroot /mnt fsck.ext4 -fn "/dev/$1" >/mnt/tmp/log 2>&1 || cat /mnt/tmp/log
				mount -t ext4 -o ro "/dev/$1" $fs
				(cd $fs && md5sum -c sums | grep -c OK)
			}
			for name in $(cd /sys/block && echo vd[b-z]); do
				case $(dd if=/dev/$name bs=1k skip=1 count=1 2>/dev/null | tr -d '\0' | wc -c) in
				0) how=first ;;
				*) how=again ;;
				esac
				echo "$name $how $(sectors $name) $($how $name)"
				umount $fs
				echo "$name $(sum /dev/$name)"
			done
		END
	} | guest_script
}

describe disk_formats "images of each format: mkfs.ext4, trims, fsck; sound, and the same at the next boot" 120
test_disk_formats() {
	need_shared qemu-nbd
	need_programs
	guest_of_two_boots
	formats='qcow2 vmdk vhdx vdi'
	set -- --disk "$programs,ro"
	for format in $formats; do
		qemu-img create -q -f "$format" "$format" 4M
		set -- "$@" --disk "$format"
	done
	for how in 'first 8192 *' 'again 8192 2'; do
		linux -c 2 "$@"
		expect_status 0
		expect_silence
		expect_no_out rror
		[ "$(grep -c "^vd[b-e] $how\$" out)" -eq 4 ] || fail "not all disks came to their end"
		grep '^vd[b-e] [0-9a-f]*$' out >sums
		[ ! -e sums.before ] || expect_same sums sums.before
		cp sums sums.before
	done
	for format in $formats; do
		expect_sound "$format" "$format"
		expect_out "^vd[b-e] $(raw_sum "$format" "$format")\$"
	done
}

describe disk_format_qcow2 "qcow2 over another, read only and ephemeral; a reboot; a qemu-nbd that dies" 90
test_disk_format_qcow2() {
	need_shared qemu-nbd
	data_for_guest 256
	{
		guest_functions
		cat <<-'END'
			for name in vda vdb vdc; do
				echo "$name $(cat /sys/block/$name/ro) $(sum /dev/$name)"
			done
			if [ "$(sum /dev/vda)" = "$(sum /dev/vdb)" ]; then
				for name in vda vdb vdc; do
					dd if=data of=/dev/$name bs=65536 seek=5 conv=fsync 2>/dev/null
				done
				reboot -f
				sleep 100
			fi
			echo ready
			read -r word
			dd if=/dev/vdc of=/dev/null bs=4096 iflag=direct 2>/dev/null || echo "told of a read"
			dd if=data of=/dev/vdc bs=4096 conv=fsync 2>/dev/null || echo "told of a write"
			dd if=data of=/dev/vda bs=65536 seek=9 conv=fsync 2>/dev/null && echo "the other lives"
		END
	} | guest_script
	numbers 1 original 1024
	cp original written
	dd if=data of=written bs=65536 seek=5 conv=notrunc 2>/dev/null
	qemu-img convert -c -f raw -O qcow2 original base
	qemu-img create -q -f qcow2 -b base -F qcow2 over
	cp base base.before
	cp over dropped
	cp dropped dropped.before
	converse --disk over --disk base,ro --disk dropped,ephemeral
	wait_for '^ready' 60
	kill -KILL "$(image_server dropped)"
	tell go
	farewell 40
	expect_status 0
	for disk in 'vda 0' 'vdb 1' 'vdc 0'; do
		expect_out "^$disk $(sum original)\$"
	done
	expect_out "^vda 0 $(sum written)\$" "^vdc 0 $(sum written)\$" '^told of a read' '^told of a write' \
		'^the other lives'
	expect_no_out "^vdb 1 $(sum written)\$"
	lines_of_err 1 || fail "standard error is not one line"
	expect_err "^armlet: --disk dropped: the connection to the disk's qemu-nbd is gone; from here on"
	expect_same base base.before
	expect_same dropped dropped.before
	expect_sound over qcow2
	dd if=data of=written bs=65536 seek=9 conv=notrunc 2>/dev/null
	[ "$(raw_sum over qcow2)" = "$(sum written)" ] || fail "over is not as it should be"
}

describe disk_format_killed "the qemu-nbd of an armlet that is killed ends, and lets the image go"
test_disk_format_killed() {
	need_shared qemu-nbd
	qemu-img create -q -f qcow2 image 1M
	start run -k "$(payload_path idle)" -a seconds=100 --disk image
	wait_for 'idle begins'
	refused_disk "--disk image: qemu-nbd does not open it as qcow2: .*lock" image
	servant=$(image_server image)
	kill -KILL "$PID"
	finish
	wait_until 10 gone "$servant" || fail "its qemu-nbd goes on"
	armlet run -k "$(payload_path null)" --disk image
	expect_status 0
	expect_silence
}

describe disk_format_full "a qcow2 on a host that is full waits for the host" 60
test_disk_format_full() {
	need_root
	need_shared qemu-nbd
	data_for_guest 2048
	{
		guest_functions
		echo 'dd if=data of=/dev/vda bs=262144 conv=fsync 2>/dev/null && echo "all written"'
	} | guest_script
	mounted small -t tmpfs -o size=1m small
	qemu-img create -q -f qcow2 small/image 2M
	start_linux --disk small/image,on-error=enospc
	pauses 1
	expect_no_out '^all written'
	expect_err '^armlet: disk0 (small/image): No space left on device; the machine is paused'
	mount -o remount,size=8m "$DIR/small"
	kill -CONT "$PID"
	finish 40
	expect_status 0
	lines_of_err 1 || fail "more than a line"
	expect_out '^all written'
	expect_sound small/image qcow2
	[ "$(raw_sum small/image qcow2)" = "$(sum data)" ] || fail "the image is not as it should be"
}

# ---- NBD --------------------------------------------------------------------

has_blocks() { [ "$(blocks raw)" -ge "$1" ]; }

# With all that is written stable at once, nothing can be lost, and the guest never knows.
describe disk_nbd_unix "an NBD server that is killed while fio writes; the machine waits for another" 90
test_disk_nbd_unix() {
	need_shared qemu-nbd
	need_programs
	{
		guest_functions
		guest_programs
		cat <<-'END'
			chroot /mnt fio --name=fio --filename=/dev/vdb --size=4M --rw=randwrite --bsrange=4k-16k \
				--blockalign=4k --ioengine=libaio --iodepth=8 --direct=1 --rate=1m --verify=crc32c \
				--verify_fatal=1 --verify_state_save=0 --thread --eta=never --output=/tmp/log \
				&& echo "verified $(sum /dev/vdb)" || cat /mnt/tmp/log
		END
	} | guest_script
	truncate -s 4M raw
	serve -f raw --socket="$DIR/socket" raw
	start_linux --disk "$programs,ro" \
		--disk "nbd+unix:///?socket=$DIR/socket,cache=writethrough,on-error=pause"
	for round in 1 2; do
		wait_until 60 has_blocks $((round * 1500)) || fail "the guest does not write"
		kill_server
		pauses $round
		serve -f raw --socket="$DIR/socket" raw
		kill -CONT "$PID"
	done
	finish 60
	expect_status 0
	expect_out "^verified $(sum raw)"
	lines_err 'the connection to the NBD server is gone; accesses fail until' 2 &&
		lines_err 'the NBD server is there again$' 2 && lines_of_err 6 ||
		fail "standard error is not two times three lines"
}

failed_times() { [ "$(grep -ac '^failed' out)" -ge "$1" ]; }

# A qcow2, as the server's memory has some of it until it is told to flush.
describe disk_nbd_tcp "an NBD server that is killed: what was synced is there, all else is told" 90
test_disk_nbd_tcp() {
	need_shared qemu-nbd
	guest_runs 'number=0
		while [ $number -lt 60 ]; do
			if printf "%-4095d\n" $number |
				dd of=/dev/vda bs=4096 seek=$number conv=notrunc,fsync 2>/dev/null; then
				echo "synced $number"
				number=$((number + 1))
			else
				echo "failed $number"
				sleep 0.2
			fi
		done'
	qemu-img create -q -f qcow2 image 1M
	serve -f qcow2 --bind=127.0.0.1 --port=10810 image
	start_linux --disk nbd://127.0.0.1:10810
	for round in 1 2; do
		wait_for "^synced $((round * 15))" 60
		kill_server
		failures=$(grep -ac '^failed' out)
		wait_until 20 failed_times $((failures + 1)) || fail "the guest is told of nothing"
		serve -f qcow2 --bind=127.0.0.1 --port=10810 image
	done
	finish 60
	expect_status 0
	lines_err 'the NBD server is there again' 2 || fail "it was not there again two times"
	kill_server
	qemu-img convert -f qcow2 -O raw image raw
	dd if=raw bs=4096 count=60 2>/dev/null | sed 's/ *$//' >numbers
	seq 0 59 | cmp - numbers || fail "a number that was synced is not on the disk"
}

# ---- Disks that fail --------------------------------------------------------

# mapped NAME: /dev/mapper/armlet-NAME, of 1 MiB, of which 64 KiB from 512 KiB on fail;
# the rest is the file NAME.
mapped() {
	truncate -s 1M "$1"
	loop_of "$1"
	printf '%s\n' "0 1024 linear $LOOP 0" '1024 128 error' "1152 896 linear $LOOP 1152" |
		dmsetup create "armlet-$1" || skip "the host cannot map devices"
	on_exit "dmsetup remove armlet-$1; dmsetup mknodes"
	dmsetup mknodes # without udev nobody else does
}

# mend NAME LOOP
mend() {
	echo "0 2048 linear $2 0" | dmsetup load "armlet-$1"
	dmsetup resume "armlet-$1"
}

describe disk_eio "a disk of which a part fails: the guest is told, or waits until it is mended" 60
test_disk_eio() {
	need_root
	need_libraries dmsetup
	load dm-mod /dev/mapper/control
	data_for_guest 1024
	{
		guest_functions
		cat <<-'END'
			# part FIRST COUNT FILE: its sum, past the cache
			part() { dd if="$3" bs=65536 skip="$1" count="$2" $direct 2>/dev/null | md5sum; }
			dd if=/dev/vda of=/dev/null bs=65536 skip=8 count=1 iflag=direct 2>/dev/null || echo "told of a read"
			dmesg | grep -q 'I/O error, dev vda, sector 1024 ' && echo "logged"
			dd if=data of=/dev/vda bs=65536 conv=fsync 2>/dev/null || echo "told of a write"
			expected="$(part 0 8 data) $(part 9 7 data)"
			direct=iflag=direct
			[ "$(part 0 8 /dev/vda) $(part 9 7 /dev/vda)" = "$expected" ] && echo "right elsewhere"
			dd if=data of=/dev/vdb bs=65536 conv=fsync 2>/dev/null || echo "told of a flush"
			dd if=data of=/dev/vdc bs=65536 conv=fsync 2>/dev/null && echo "all written"
			echo "sum $(sum /dev/vdc)"
		END
	} | guest_script
	for disk in report flush pause; do
		mapped $disk
	done
	start_linux --disk /dev/mapper/armlet-report \
		--disk /dev/mapper/armlet-flush,on-error=pause,aio=threads \
		--disk /dev/mapper/armlet-pause,direct,on-error=pause
	pauses 1
	expect_err '^armlet: disk2 (/dev/mapper/armlet-pause): Input/output error; the machine is paused'
	expect_no_out '^all written'
	mend pause "$LOOP"
	kill -CONT "$PID"
	finish 40
	plain_out
	expect_status 0
	expect_out '^told of a read' '^logged' '^told of a write' '^right elsewhere' '^all written' \
		"^sum $(sum data)\$"
	# The host has dropped what it could not write: no patience would bring that back.
	expect_out '^told of a flush'
	for disk in report flush; do
		expect_err "^armlet: --disk /dev/mapper/armlet-$disk: a flush failed: Input/output error; what"
	done
	lines_of_err 3 || fail "more than three lines"
	expect_same pause data
}

# ---- Bad input --------------------------------------------------------------

# A qcow2 as far as its first bytes go.
qcow2_head() { printf 'QFI\373\000\000\000\003' >"$1"; }

describe bad_disk_no_libnbd "formats and NBD, and an armlet that was built without libnbd"
test_bad_disk_no_libnbd() {
	qcow2_head image
	truncate -s 1M image
	armlet run -k "$(payload_path null)" --disk image
	grep -q 'built without libnbd' err || skip "this armlet was built with libnbd"
	expect_refusal '--disk image: this is an image of format qcow2, and .*; convert the image by qemu-img'
	refused_disk '--disk nbd://host: this armlet was built without libnbd' nbd://host
}

# with_qemu_nbd COMMANDS: a qemu-nbd that does that, alone in $PATH.
with_qemu_nbd() {
	mkdir -p bin
	printf '#!/bin/sh\n%s\n' "$1" >bin/qemu-nbd
	chmod 755 bin/qemu-nbd
	PATH=$PWD/bin armlet run -k "$(payload_path null)" --disk "$DIR/image"
}

describe bad_disk_format "images that are broken or lack another, and a qemu-nbd that does not do" 60
test_bad_disk_format() {
	need_shared qemu-nbd
	qcow2_head broken
	refused_disk '--disk broken: qemu-nbd does not open it as qcow2: ' broken
	qemu-img create -q -f qcow2 base 1M
	qemu-img create -q -f qcow2 -b base -F qcow2 image
	refused_disk '--disk image: qemu-nbd does not open it as vmdk: ' image,format=vmdk
	refused_disk '--disk image: qemu-nbd does not open it as qcom2: ' image,format=qcom2
	mv base other
	refused_disk "--disk image: qemu-nbd does not open it as qcow2: .*base.*No such file" image
	mv other base
	# That takes its time, in a directory of its own.
	mkdir stuck
	(
		cd stuck || exit
		with_qemu_nbd 'exec /bin/sleep 1000'
		expect_refusal "--disk $DIR/image: qemu-nbd does not answer within 30 s; look"
	) &
	PATH=$DIR armlet run -k "$(payload_path null)" --disk image
	expect_refusal '--disk image: .* needs qemu-nbd, which is not installed; install it'
	with_qemu_nbd 'exit 3'
	expect_refusal ': qemu-nbd does not open it as qcow2: it does not say why'
	with_qemu_nbd 'echo "qemu-nbd: out of luck" >&2; kill -KILL $$'
	expect_refusal ': qemu-nbd does not open it as qcow2: out of luck'
	wait $! || fail "not so with a qemu-nbd that is stuck"
}

describe bad_disk_nbd "NBD servers that are not there, have no such export, or let nobody write" 60
test_bad_disk_nbd() {
	need_shared qemu-nbd
	truncate -s 1M raw
	uri="nbd+unix:///?socket=$DIR/socket"
	refused_disk "--disk $uri: the NBD server cannot be reached: .*No such file" "$uri"
	refused_disk "--disk nbd://127.0.0.1:1: the NBD server cannot be reached: .*refused" nbd://127.0.0.1:1
	refused_disk '--disk nbd+unix://: the NBD server cannot be reached: ' nbd+unix://
	serve -f raw --read-only --export-name=here --socket="$DIR/socket" raw
	refused_disk "the NBD server cannot be reached: .*export" "nbd+unix:///there?socket=$DIR/socket"
	uri="nbd+unix:///here?socket=$DIR/socket"
	refused_disk "--disk $uri: the server lets nobody write; add ,ro" "$uri"
	refused_disk "--disk $uri: an NBD server's disk cannot be ephemeral here" "$uri,ephemeral"
	armlet run -k "$(payload_path null)" --disk "$uri,ro"
	expect_status 0
	expect_silence
	kill -STOP "$server"
	refused_disk "--disk $uri: the NBD server does not answer; look whether" "$uri,ro"
}
