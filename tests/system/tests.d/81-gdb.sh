# SPDX-License-Identifier: Apache-2.0
# gdb: the stub, driven by Debian's gdb-multiarch.
# shellcheck shell=ash disable=SC2154

# A root with gdb in it, in which /tmp is the test's directory.
debugger() {
	image=$ARMLET_GUESTS/gdb.img
	[ -e "$image" ] || skip "there is no disk with gdb (tools/debkit disk)"
	loop_of "$image"
	mounted tree -t ext4 -o ro "$LOOP"
	on_exit "umount '$DIR/tree/tmp' '$DIR/tree/proc' 2>/dev/null"
	mount -o bind . tree/tmp
	mount -t proc proc tree/proc
}

# gdb_runs [ARGUMENT...]: gdb with what standard input says, until its end; what it prints
# is in gdb.out.
gdb_runs() {
	{
		say 'set pagination off'
		say 'set confirm off'
		say 'set print entry-values no'
		cat
	} >session
	chroot tree /usr/bin/gdb-multiarch -nx -q -batch "$@" -x /tmp/session >gdb.out 2>&1 </dev/null
}

# expect_gdb LINE...: that gdb has printed these, in this order.
expect_gdb() {
	rest=$(cat gdb.out)
	for wanted in "$@"; do
		case $rest in
		*"$wanted"*) rest=${rest#*"$wanted"} ;;
		*)
			cat gdb.out
			fail "gdb has not said '$wanted' there"
			;;
		esac
	done
}

# debugged [ARGUMENT...]: the payload, frozen, with gdb let in.
debugged() {
	cp "$ARMLET_PAYLOADS/payload_debugged.elf" guest.elf
	start run -S --gdb=unix:"$DIR/gdb" --scratch -m 64 -k "$(payload_path debugged)" "$@"
	wait_until 20 test -S gdb
}

describe gdb_payload "from the first instruction: break, step, watch, memory and registers, two CPUs" 120
test_gdb_payload() {
	debugger
	debugged -c 2 -a 'rounds=3 changed=7'
	gdb_runs /tmp/guest.elf <<-'END'
		target remote /tmp/gdb
		info threads
		printf "first %#lx fdt %d\n", $pc, *(unsigned char *)($x0 + 0) == 0xd0
		stepi
		printf "then %#lx\n", $pc
		break landmark
		continue
		backtrace 2
		printf "round %d\n", (int)round
		info threads
		set var changed = 7
		set $x20_before = $x20
		set $x20 = 0x123456789abcdef0
		printf "x20 %#lx\n", $x20
		set $x20 = $x20_before
		set $old_d8 = $v8.d_u[0]
		set $v8.d_u[0] = 0x1122334455667788
		printf "v8 %#lx\n", $v8.d_u[0]
		printf "el %d masks %d vbar %d\n", ($cpsr >> 2) & 3, ($cpsr >> 7) & 1, $VBAR_EL1 != 0
		set $t = turns
		continue
		printf "round %d other %d\n", (int)round, turns > $t
		delete
		detach
	END
	expect_gdb '* 1    Thread 1 (vCPU 0)' '2    Thread 2 (vCPU 1, off)' 'first 0x40080000 fdt 1' 'then 0x40080004' \
		'hit Breakpoint 1, landmark (round=1)' '#0  landmark' '#1  ' 'round 1' 'Thread 2 (vCPU 1)' \
		'x20 0x123456789abcdef0' 'v8 0x1122334455667788' 'el 1 masks 0 vbar 1' \
		'hit Breakpoint 1, landmark (round=2)' 'round 2 other 1' 'detached'
	finish 30
	expect_status 0
	expect_report
}

describe gdb_step "steps over what is hard to step over, with an interrupt waiting at each" 180
test_gdb_step() {
	debugger
	debugged -a 'rounds=2'
	gdb_runs /tmp/guest.elf <<-'END'
		target remote /tmp/gdb
		break landmark
		continue
		# Each instruction of masks is one step, and none is the interrupt's vector.
		break masks
		continue
		set $i = 0
		while $i < 11
		  printf "masks+%d\n", (int)($pc - (unsigned long)masks)
		  stepi
		  set $i = $i + 1
		end
		# A function in one go.
		break leaf
		continue
		finish
		break *by_hand
		continue
		set $i = 0
		while $i < 7
		  printf "by_hand+%d\n", (int)($pc - (unsigned long)by_hand)
		  stepi
		  set $i = $i + 1
		end
		printf "sum %d\n", $x0
		delete
		break one_round
		continue
		next
		next
		next
		continue
		delete
		continue
	END
	expect_gdb 'Breakpoint 1, landmark (round=1)' masks+0 masks+4 masks+8 masks+12 masks+16 masks+20 masks+24 masks+28 masks+32 \
		masks+36 masks+40 'Breakpoint 3, leaf (a=1, b=4)' 'Value returned is' '= 15' \
		'by_hand+0' 'by_hand+4' 'by_hand+8' 'by_hand+12' 'by_hand+16' 'by_hand+20' 'by_hand+24' 'sum 255' \
		'one_round (round=2)' \
		'exited normally'
	finish 30
	expect_status 0
	expect_report
}

describe gdb_points "watchpoints, and more breakpoints than there are registers" 180
test_gdb_points() {
	debugger
	debugged -c 2 -a 'rounds=3'
	gdb_runs /tmp/guest.elf <<-'END'
		target remote /tmp/gdb
		break landmark
		continue
		rbreak ^place_
		continue
		set $i = 0
		while $i < 11
		  continue
		  set $i = $i + 1
		end
		printf "at %d\n", $pc == (unsigned long)place_11
		delete
		break landmark
		continue
		watch watched
		continue
		delete
		rwatch read_masks[1]
		continue
		printf "watches %d\n", $pc >= (unsigned long)one_round && $pc < (unsigned long)payload_main + 4096
		delete
		awatch *(char (*)[16])places
		continue
		delete
		continue
	END
	expect_gdb 'hit Breakpoint 1, landmark (round=1)' 'place_0 ()' 'place_11 ()' 'at 1' 'landmark (round=2)' \
		'Hardware watchpoint' 'Old value' 'New value' 'Hardware read watchpoint' 'Value = ' 'watches 1' \
		'Hardware access' 'Value = ' 'exited normally'
	finish 30
	expect_status 0
	expect_report
}
