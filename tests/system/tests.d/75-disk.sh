# SPDX-License-Identifier: Apache-2.0
# Disks: Linux guests on virtio-blk, and what is refused. Where data counts, host
# and guest do the same to a copy each, and then the copies have to be the same.
# shellcheck shell=sh

mib=1048576

# numbers FIRST FILE KIBIBYTES: text that is nowhere the same.
numbers() {
	awk -v first="$1" -v count=$(($3 * 16)) \
		'BEGIN { for (i = 0; i < count; i++) printf "%063d\n", first + i }' >"$2"
}

# data_for_guest KIBIBYTES: the file data, here and in the guest's root.
data_for_guest() {
	mkdir -p extra
	numbers 500000 data "$1"
	cp data extra/data
}

# What guests do likewise.
guest_functions() {
	cat <<-'END'
		forget() { sync; echo 3 >/proc/sys/vm/drop_caches; }
		sum() { forget; md5sum <"$1" | cut -d' ' -f1; }
		sectors() { cat "/sys/block/$1/size"; }
		cd /
	END
}

sum() { md5sum <"$1" | cut -d' ' -f1; }

need_programs() {
	need_guest "$guest"
	programs=$ARMLET_GUESTS/tools.img
	[ -e "$programs" ] || skip "there is no disk of programs (tools/debkit disk)"
}

# What guests do whose first disk is $programs, for chroot /mnt.
guest_programs() {
	cat <<-'END'
		export PATH=/bin:/sbin
		mkdir /mnt
		mount -t ext4 -o ro /dev/vda /mnt
		for directory in dev proc sys; do
			mount -o bind /$directory /mnt/$directory
		done
		mount -t tmpfs tmp /mnt/tmp
		mkdir /mnt/tmp/fs
	END
}

# expect_same FILE FILE
expect_same() { cmp "$1" "$2" || fail "$1 is not as it should be"; }

# blocks FILE: how many of 512 bytes its space is.
blocks() { echo $(($(stat -c %b "$1") * $(stat -c %B "$1") / 512)); }

# on_exit COMMAND: however the test ends; the last one first, but armlet before all.
undo=''
on_exit() {
	undo="$*; $undo"
	trap '{ [ -z "${PID:-}" ] || kill -KILL "$PID"; wait; } 2>/dev/null; cd /; eval "$undo"' EXIT
}

need_root() { [ "$(id -u)" -eq 0 ] || skip "only root can do this to the host"; }

# loop_of FILE: $LOOP is a loop device for it, until the end of the test.
loop_of() {
	need_root
	need losetup
	modprobe loop 2>/dev/null
	LOOP=$(losetup -f 2>/dev/null) || skip "the host has no loop devices"
	losetup "$LOOP" "$1" 2>/dev/null || skip "the host has no loop devices"
	on_exit "losetup -d $LOOP"
}

# mounted DIRECTORY OPTION... SOURCE: mount(8), until the end of the test.
mounted() {
	mkdir "$1"
	on_exit "umount '$DIR/$1' 2>/dev/null"
	directory=$1
	shift
	mount "$@" "$directory" || skip "the host cannot mount this"
}

# tree_of NAME [DIRECTORY...]: tree, the root on the guests' disk of that name, in which /tmp is
# the test's directory, and each of those the host's.
tree_of() {
	[ -e "$ARMLET_GUESTS/$1" ] || skip "there is no $1 (tools/debkit disk)"
	loop_of "$ARMLET_GUESTS/$1"
	shift
	mounted tree -t ext4 -o ro "$LOOP"
	for directory in /tmp "$@"; do
		on_exit "umount '$DIR/tree$directory' 2>/dev/null"
	done
	mount -o bind . tree/tmp
	for directory; do
		mount -o bind "$directory" "tree$directory"
	done
}

# ext2_on FILE DIRECTORY: a file system in it, mounted there.
ext2_on() {
	need mke2fs
	loop_of "$1"
	mke2fs -F "$LOOP" >/dev/null 2>&1
	modprobe ext4 2>/dev/null
	mounted "$2" -t ext4 "$LOOP"
}

# Writes of several sizes, all at once, from $shift quarters of a MiB on in the file
# data: the guest does them to its disk, the host to what the disk should be then.
disk_writes() {
	cat <<-'END'
		# writes FILE BLOCK: at least a block at a time
		writes() {
			dd if=data of="$1" bs=4096 count=64 skip=$((shift * 64)) conv=notrunc $direct &
			dd if=data of="$1" bs=65536 count=4 skip=$((shift * 4 + 4)) seek=4 conv=notrunc $direct &
			dd if=data of="$1" bs=262144 count=1 skip=$((shift + 2)) seek=2 conv=notrunc,fsync &
			dd if=data of="$1" bs="$2" count=24 skip=$(((shift + 3) * 262144 / $2)) \
				seek=$((3 * 262144 / $2 + 1)) conv=notrunc $direct &
			wait
		}
	END
}

guest_that_writes() {
	data_for_guest 2048
	{
		guest_functions
		disk_writes
		cat <<-'END'
			direct=oflag=direct shift=0
			for name in $(cd /sys/block && echo vd*); do
				queue=/sys/block/$name/queue
				writes "/dev/$name" "$(cat $queue/logical_block_size)" 2>&1 | grep -v 'records\|copied'
				whole=$(sum "/dev/$name")
				forget
				[ "$(dd if="/dev/$name" bs=8192 iflag=direct 2>/dev/null | md5sum | cut -d' ' -f1)" = "$whole" ] ||
					echo "trouble: direct reads differ"
				echo "$name block=$(cat $queue/logical_block_size)" \
					"cache=$(tr ' ' - <$queue/write_cache)" \
					"queues=$(ls "/sys/block/$name/mq" | wc -l) $whole"
				shift=$(((shift + 1) % 4))
			done
		END
	} | guest_script
}

# disks_in_modes DISK...: one guest writes to all of them; DISK is what --disk takes.
disks_in_modes() {
	guest_that_writes
	disk_writes >writes
	. ./writes
	numbers 1 original 1024
	direct='' shift=0 count=0 arguments=''
	for disk; do
		dd if=original of="${disk%%,*}" bs=$mib 2>/dev/null
		cp original expected$count
		case $disk in
		*block-size=4096*) writes expected$count 4096 2>/dev/null ;;
		*) writes expected$count 512 2>/dev/null ;;
		esac
		arguments="$arguments --disk $disk"
		shift=$(((shift + 1) % 4)) count=$((count + 1))
	done
	# shellcheck disable=SC2086 # words they are
	linux -c 2 $arguments
	expect_status 0
	expect_silence
	expect_no_out rror trouble
	[ "$(grep -c '^vd' out)" -eq $count ] || fail "the guest has not seen all disks"
	grep '^vd' out
	count=0
	for disk; do
		say "$disk"
		expect_same "${disk%%,*}" expected$count
		expect_out " $(sum expected$count)\$"
		count=$((count + 1))
	done
}

has_io_uring() { [ "$(cat /proc/sys/kernel/io_uring_disabled 2>/dev/null || echo 0)" -eq 0 ]; }

describe disk_modes "data is right with each cache, engine, block size and number of queues" 90
test_disk_modes() {
	need_guest "$guest"
	set -- writeback writethrough,cache=writethrough unsafe,cache=unsafe threads,aio=threads \
		queues,queues=2 large,block-size=4096,physical-block-size=8192 \
		many,aio=threads,queues=2,cache=writethrough,format=raw
	! has_io_uring || set -- "$@" uring,aio=io_uring
	disks_in_modes "$@"
	expect_out '^vda block=512 cache=write-back queues=1' '^vdb .* cache=write-through' \
		'^vde .*queues=2' '^vdf block=4096'
}

describe disk_direct "data is right past the page cache, and on a block device" 90
test_disk_direct() {
	need_guest "$guest"
	truncate -s 12M files
	ext2_on files directory
	truncate -s 1M device other
	loop_of device
	first=$LOOP
	loop_of other
	disks_in_modes directory/plain,direct directory/threads,direct,aio=threads \
		directory/large,direct,block-size=4096 directory/through,direct,cache=writethrough \
		"$first" "$LOOP,direct"
}

describe disk_properties "ro, serial, ephemeral, discard and zeroes do what they say" 60
test_disk_properties() {
	mkdir -p extra/bin
	cp "$ARMLET_TOOLS/blkio" extra/bin
	data_for_guest 400
	{
		guest_functions
		cat <<-'END'
			echo "ro $(cat /sys/block/vda/ro)$(cat /sys/block/vdb/ro)"
			echo "serials $(cat /sys/block/vda/serial) $(cat /sys/block/vdb/serial) $(cat /sys/block/vdc/serial)"
			echo "read only $(sum /dev/vda)"
			dd if=data of=/dev/vda bs=4096 conv=fsync 2>/dev/null || echo "read only: not written"
			dd if=data of=/dev/vdb bs=4096 seek=3 conv=fsync 2>/dev/null
			echo "ephemeral $(sum /dev/vdb)"
			blkdiscard -o 262144 -l 524288 /dev/vdc
			echo "discarded $(sum /dev/vdc)"
			blkdiscard /dev/vdd 2>/dev/null || echo "cannot be discarded"
			blkio zero /dev/vde 131072 262144
			echo "zeroed $(sum /dev/vde)"
			mke2fs /dev/vdf >/dev/null 2>&1
			mkdir /mnt
			mount -t ext4 /dev/vdf /mnt
			fstrim /mnt
			umount /mnt
		END
	} | guest_script
	for disk in a b c d e f; do
		numbers $((0x$disk * 20000)) $disk 1024
		cp $disk $disk.before
	done
	chmod 444 a b
	linux --disk a,ro,serial=of-twenty-characters --disk b,ephemeral --disk c,serial=x --disk d,discard=off \
		--disk e --disk f
	expect_status 0
	expect_silence
	expect_out '^ro 10$' '^serials of-twenty-characters disk1 x$' "^read only $(sum a.before)\$" \
		'^read only: not written' '^cannot be discarded'
	for disk in a b d; do
		expect_same $disk $disk.before
	done
	dd if=data of=b.before bs=4096 seek=3 conv=notrunc 2>/dev/null
	expect_out "^ephemeral $(sum b.before)\$"
	dd if=/dev/zero of=c.before bs=262144 seek=1 count=2 conv=notrunc 2>/dev/null
	expect_out "^discarded $(sum c.before)\$"
	expect_same c c.before
	expect_at_most "$(blocks c)" 1040 "blocks of what was discarded in half"
	dd if=/dev/zero of=e.before bs=131072 seek=1 count=2 conv=notrunc 2>/dev/null
	expect_out "^zeroed $(sum e.before)\$"
	expect_same e e.before
	expect_at_most "$(blocks f)" 1024 "blocks of a file system with nothing in it"
}

# Each number is on the disk before it is printed.
describe disk_flush "what was synced is there when armlet is killed" 90
test_disk_flush() {
	data_for_guest 1024
	{
		guest_functions
		cat <<-'END'
			number=0
			while [ $number -lt 1000 ]; do
				printf '%-4095d\n' $number | dd of=/dev/vda bs=4096 seek=$number conv=notrunc,fsync 2>/dev/null
				echo "synced $number"
				dd if=data of=/dev/vda bs=65536 skip=$((number % 16)) seek=$((64 + number % 16)) count=1 2>/dev/null
				number=$((number + 1))
			done
		END
	} | guest_script
	for properties in '' ,aio=threads,cache=writethrough; do
		rm -f disk
		truncate -s 8M disk
		start_linux --disk "disk$properties"
		last=$(($(od -An -N1 -tu1 /dev/urandom) % 40 + 1))
		wait_for "^synced $last" 40
		kill -KILL "$PID"
		finish
		expect_status 137
		count=$(grep -ac '^synced [0-9]*.$' out)
		dd if=disk bs=4096 count="$count" 2>/dev/null | sed 's/ *$//' >numbers
		say "$count numbers were printed, as $last was waited for"
		seq 0 $((count - 1)) | cmp - numbers || fail "a number that was printed is not on the disk"
	done
}

# fio writes each block with its checksum, several at once, in an order of its own.
# fio_with DISK...: each is mkfs'd, written and verified by fio, and fsck'd.
fio_with() {
	{
		guest_functions
		guest_programs
		cat <<-'END'
			for name in $(cd /sys/block && echo vd[b-z]); do
				chroot /mnt mkfs.ext4 -q /dev/$name
				mount -t ext4 /dev/$name /mnt/tmp/fs
				chroot /mnt fio --name=$name --directory=/tmp/fs --size=1M --rw=randwrite \
					--bsrange=4k-64k --blockalign=4k --ioengine=libaio --iodepth=16 --direct=1 \
					--fsync=16 --verify=crc32c --verify_fatal=1 --verify_state_save=0 --randseed=1 --thread \
					--eta=never --output=/tmp/log || cat /mnt/tmp/log
				umount /mnt/tmp/fs
				forget
				chroot /mnt fsck.ext4 -fn /dev/$name >/mnt/tmp/log 2>&1 || cat /mnt/tmp/log
				echo "done with $name: $(grep -c 'files.*blocks' /mnt/tmp/log)"
			done
		END
	} | guest_script
	arguments='' count=0
	for disk; do
		truncate -s 8M "${disk%%,*}"
		arguments="$arguments --disk $disk" count=$((count + 1))
	done
	# shellcheck disable=SC2086 # words they are
	linux -c 2 --disk "$programs,ro" $arguments
	expect_status 0
	expect_silence
	expect_no_out rror 'verify:'
	[ "$(grep -c '^done with vd[b-z]: 1' out)" -eq $count ] || fail "not all disks came to their end"
}

describe disk_fio "mkfs.ext4, fio with verification and fsck, in each mode" 90
test_disk_fio() {
	need_programs
	fio_with writeback threads,aio=threads,cache=writethrough queues,queues=2,cache=unsafe \
		large,block-size=4096 ephemeral,ephemeral
}

describe disk_fio_direct "the same past the page cache" 60
test_disk_fio_direct() {
	need_programs
	truncate -s 24M files
	ext2_on files directory
	fio_with directory/plain,direct directory/threads,direct,aio=threads,queues=2
}

describe disk_resize "a disk that grows and shrinks while it is used" 60
test_disk_resize() {
	data_for_guest 2048
	{
		guest_functions
		cat <<-'END'
			echo "begins with $(sectors vda)"
			until [ "$(sectors vda)" -eq 4096 ]; do sleep 0.1; done
			dd if=data of=/dev/vda bs=65536 oflag=direct 2>/dev/null && echo "larger"
			until [ "$(sectors vda)" -eq 1024 ]; do sleep 0.1; done
			dd if=/dev/vda of=/dev/null bs=65536 skip=8 count=1 2>&1 | grep -q '^0+0 records in' && echo "smaller"
			echo "vdb $(sectors vdb)"
		END
	} | guest_script
	truncate -s 1M disk other
	start_linux --disk disk --disk other
	wait_for '^begins with 2048' 40
	truncate -s $((2 * mib + 100)) disk # not all of it is sectors
	kill -USR2 "$PID"
	wait_for '^larger'
	head -c $((2 * mib)) disk >written
	expect_same written data
	truncate -s 512K disk
	kill -USR2 "$PID"
	wait_for '^smaller'
	finish
	expect_status 0
	expect_silence
	expect_out '^vdb 2048'
}

describe disk_reboot "a disk is the same after a reboot, in the same process" 60
test_disk_reboot() {
	data_for_guest 256
	{
		guest_functions
		cat <<-'END'
			if grep -q 'first boot' /dev/vda; then
				echo "it is there"
				dd if=/dev/vda bs=262144 skip=1 count=1 2>/dev/null | md5sum
				exit
			fi
			dd if=data of=/dev/vda bs=262144 seek=1 conv=fsync 2>/dev/null
			echo "first boot" | dd of=/dev/vda conv=fsync 2>/dev/null
			# What is written now nobody waits for.
			dd if=data of=/dev/vda bs=4096 seek=128 count=64 2>/dev/null
			reboot -f
			sleep 100
		END
	} | guest_script
	truncate -s 1M disk
	linux --disk disk --disk disk,ro
	expect_refusal 'another program has it open for writing'
	linux --disk disk
	expect_status 0
	expect_silence
	expect_out '^it is there'
	expect_out "^$(sum data)"
}

lines_of_err() { [ "$(wc -l <err)" -eq "$1" ]; }

describe disk_full "a host that is full: the guest is told, or waits for the host" 60
test_disk_full() {
	need_root
	data_for_guest 2048
	{
		guest_functions
		cat <<-'END'
			dd if=data of=/dev/vda bs=65536 conv=fsync 2>/dev/null || echo "told, and lives"
			dd if=/dev/vda of=/dev/null bs=65536 count=4 2>/dev/null && echo "reads go on"
			dd if=data of=/dev/vdb bs=262144 conv=fsync 2>/dev/null && echo "all written"
			dd if=data of=/dev/vdc bs=262144 oflag=direct 2>/dev/null && echo "all direct"
			echo "sum $(sum /dev/vdb)"
		END
	} | guest_script
	mounted small -t tmpfs -o size=512k small
	mounted other -t tmpfs -o size=1m other
	truncate -s 2M small/report other/enospc other/pause
	start_linux --disk small/report --disk other/enospc,on-error=enospc \
		--disk other/pause,on-error=pause,aio=threads
	wait_until 60 lines_of_err 1 || fail "the machine is not paused"
	expect_out '^told, and lives' '^reads go on'
	expect_no_out '^all written'
	expect_err "^armlet: disk1 (other/enospc): No space left on device; the machine is paused: mend that, then let it go on with .kill -CONT $PID.\$"
	mount -o remount,size=1536k "$DIR/other"
	kill -CONT "$PID"
	wait_until 20 lines_of_err 2 || fail "the machine is not paused again"
	mount -o remount,size=2304k "$DIR/other"
	kill -CONT "$PID"
	wait_until 20 lines_of_err 3 || fail "the machine is not paused for the other disk"
	expect_out '^all written'
	expect_no_out '^all direct'
	mount -o remount,size=32m "$DIR/other"
	kill -CONT "$PID"
	finish 40
	expect_status 0
	lines_of_err 3 || fail "more than a line each time"
	expect_out '^all direct' "^sum $(sum data)"
	expect_same other/enospc data
}

describe disk_cut "a file that is removed, or cut off, while it is used" 60
test_disk_cut() {
	data_for_guest 512
	{
		guest_functions
		cat <<-'END'
			echo "ready"
			read -r word
			dd if=data of=/dev/vda bs=65536 conv=fsync 2>/dev/null && echo "removed: written"
			[ "$(sum /dev/vda)" = "$(sum data)" ] && echo "removed: right"
			dd if=/dev/vdb of=/dev/null bs=4096 skip=40 iflag=direct 2>&1 | grep -q rror && echo "cut: told"
			[ "$(dd if=/dev/vdb bs=4096 count=16 iflag=direct 2>/dev/null | wc -c)" = 65536 ] && echo "cut: lives"
			dd if=data of=/dev/vdb bs=65536 conv=fsync 2>/dev/null && echo "cut: written"
		END
	} | guest_script
	truncate -s 512K removed cut
	converse --disk removed --disk cut
	wait_for '^ready' 40
	rm removed
	truncate -s 64K cut
	tell go
	farewell 40
	expect_status 0
	expect_silence
	expect_out '^removed: written' '^removed: right' '^cut: told' '^cut: lives' '^cut: written'
	expect_same cut data
}

# ---- Bad input --------------------------------------------------------------

# refused_disk PATTERN DISK...
refused_disk() { refused_values --disk "$@"; }

describe bad_disk_files "disks that are missing, something else, or of no size"
test_bad_disk_files() {
	refused_disk '--disk none: there is no such file; a new disk is made by truncate' none
	refused_disk '--disk none/disk: there is no such file' none/disk
	refused_disk '--disk: there is no file' ''
	mkdir directory
	mkfifo pipe
	: >empty
	refused_disk '--disk directory: this is a directory' directory
	refused_disk '--disk pipe: this is a pipe' pipe
	refused_disk '--disk /dev/null: this is a character device' /dev/null
	refused_disk '--disk empty: it has no bytes; give it a size' empty
	refused_disk '--disk empty: it has no bytes' empty,ro
	truncate -s 1000 odd
	refused_disk '--disk odd: its size is 488 bytes more than a multiple of 512; .*truncate -s 1024' odd
	truncate -s 1536 odd
	refused_disk '--disk odd: its size is 1536 bytes more than a multiple of 4096' odd,block-size=4096
	refused_disk '--disk empty/disk: .* Not a directory' empty/disk
}

describe bad_disk_permission "disks that one may not read, or not write"
test_bad_disk_permission() {
	need_root
	kernel=$(for_others "$(payload_path null)")
	truncate -s 1M secret public
	chmod 600 secret
	chmod 644 public
	unprivileged run -k "$kernel" --disk secret
	expect_refusal '--disk secret: it cannot be opened for reading and writing: Permission denied'
	unprivileged run -k "$kernel" --disk secret,ro
	expect_refusal '--disk secret: it cannot be opened for reading: Permission denied'
	unprivileged run -k "$kernel" --disk public
	expect_refusal '--disk public: it cannot be written: Permission denied; add ,ro'
}

describe bad_disk_in_use "a disk that another machine has"
test_bad_disk_in_use() {
	truncate -s 1M disk
	start run -k "$(payload_path idle)" -a seconds=100 --disk disk
	wait_for 'idle begins'
	refused_disk '--disk disk: another program has it open for writing' disk
	refused_disk '--disk disk: another program has it open for writing' disk,ro
	kill -KILL "$PID"
	finish
	start run -k "$(payload_path idle)" -a seconds=100 --disk disk,ro
	wait_for 'idle begins'
	refused_disk '--disk disk: another program uses it, so it cannot be written; .* add ,ro' disk
	armlet run -k "$(payload_path null)" --disk disk,ro
	expect_status 0
	kill -KILL "$PID"
	finish
}

describe bad_disk_mounted "a block device that the host has mounted"
test_bad_disk_mounted() {
	truncate -s 4M files
	ext2_on files directory
	refused_disk "--disk $LOOP: this host uses the device itself, mounted" "$LOOP"
}

describe bad_disk_properties "properties of disks that are unknown, or cannot be"
test_bad_disk_properties() {
	truncate -s 1M disk
	refused_disk "--disk: unknown property 'readonly'" disk,readonly
	refused_disk "--disk: unknown property 'cash'; did you mean 'cache'?" disk,cash=unsafe
	refused_disk "--disk: .*cache.* 'none' is not one of" disk,cache=none
	refused_disk '--disk: ro takes no value' disk,ro=yes
	refused_disk '--disk: cache needs a value' disk,cache
	refused_disk "--disk: queues: '17' is not a number from 1 to 16" disk,queues=17
	refused_disk "--disk: block-size: '1000' is not a power of two from 512" disk,block-size=1000
	refused_disk '--disk disk: a physical block of 512 bytes cannot hold a logical one of 4096' \
		disk,block-size=4096,physical-block-size=512
	refused_disk '--disk disk: the serial .* is too long; it may have 20 characters' \
		disk,serial=123456789012345678901
	cp disk other
	refused_disk "--disk disk: two disks have the serial 'disk0'" other disk,serial=disk0
	mkdir tmp
	TMPDIR=$DIR/nowhere refused_disk "--disk disk: no file can be made in '.*nowhere'" disk,ephemeral
}

describe bad_disk_count "more disks than a machine has room for"
test_bad_disk_count() {
	set --
	for disk in $(seq 1 32); do
		truncate -s 1M "$disk"
		set -- "$@" "$disk"
	done
	truncate -s 1M 33
	refused_disk '--disk: given more than 32 times' "$@" 33
	refused_disk 'a machine has 32 slots for virtio devices, and this one needs more' "$@"
	for disk; do
		shift
		set -- "$@" --disk "$disk"
	done
	armlet run -k "$(payload_path null)" --nodefaults "$@"
	expect_status 0
	expect_silence
}
