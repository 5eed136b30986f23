# SPDX-License-Identifier: Apache-2.0
# gdb: the stub, driven by Debian's gdb-multiarch.
# shellcheck shell=ash disable=SC2154

# A root with gdb in it.
debugger() { tree_of gdb.img /proc; }

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
	debugged -c 2 -a 'rounds=200 changed=7'
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
		set $old_d8 = $v8.d.u[0]
		set $v8.d.u[0] = 0x1122334455667788
		printf "v8 %#lx\n", $v8.d.u[0]
		printf "el %d masks %d vbar %d\n", ($cpsr >> 2) & 3, ($cpsr >> 7) & 1, $VBAR_EL1 != 0
		set $before = turns
		continue
		printf "round %d\n", (int)round
		# The other runs, too, though not in each of these moments.
		while turns == $before
		  continue
		end
		printf "other %d\n", turns > $before
		delete
		python import time; start = time.time()
		dump binary memory /tmp/memory 0x40000000 0x40100000
		python print('a MiB in %.2f s' % (time.time() - start))
		detach
	END
	expect_gdb '* 1    Thread 1 (vCPU 0)' '2    Thread 2 (vCPU 1, off)' 'first 0x40080000 fdt 1' 'then 0x40080004' \
		'hit Breakpoint 1, landmark (round=1)' '#0  landmark' '#1  ' 'round 1' 'Thread 2 (vCPU 1)' \
		'x20 0x123456789abcdef0' 'v8 0x1122334455667788' 'el 1 masks 0 vbar 1' \
		'hit Breakpoint 1, landmark (round=2)' 'round 2' 'other 1' 'a MiB in' 'detached'
	grep 'a MiB in' gdb.out
	# The image, as far as nothing of it is written to: the first function's code.
	cmp -n 4096 memory - 524288 0 <"$(payload_path debugged)" || fail 'the image is not in what was read'
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

# vmlinux: all functions of the kernel, at their addresses without KASLR, as the guest itself
# tells them. A kernel tells no variables so; but for who dumps it, those of a few.
symbols_of_linux() {
	guest_script <<-'END'
		modprobe virtio_console
		grep -v '\[' /proc/kallsyms >"$(port_named symbols)"
		echo told
		read -r word
	END
	: >symbols
	converse -a "$words nokaslr" --port symbols=file:symbols --name dumped --api api
	wait_for '^told' 60
	verb dump --physical dumped vmcore
	[ "$STATUS" -eq 0 ] || fail "dump: $(cat verb.err)"
	strings vmcore | sed -n 's/^SYMBOL(\(init_uts_ns\))=\(.*\)/\2 D \1/p' | head -n 1 >variables
	rm -f vmcore
	tell on
	farewell 30
	cat symbols variables | "$ARMLET_TOOLS/symbols" >vmlinux
	rm -f symbols
}

describe gdb_linux "Linux: start_kernel and a driver's probe, a variable, steps, threads, a backtrace" 240
test_gdb_linux() {
	debugger
	symbols_of_linux
	guest_runs 'hostname watched; echo "up $(nproc)"'
	start_linux -c 2 -S --gdb=unix:"$DIR/gdb" -a "$words nokaslr"
	wait_until 20 test -S gdb
	gdb_runs /tmp/vmlinux <<-'END'
		target remote /tmp/gdb
		break *start_kernel
		continue
		printf "start_kernel %d mmu %d\n", $pc == (unsigned long)&start_kernel, $SCTLR_EL1 & 1
		stepi 20
		printf "stepped %d\n", $pc != (unsigned long)&start_kernel
		delete
		break *pl011_probe
		continue
		backtrace
		info threads
		thread 2
		info registers pc sp
		thread 1
		delete
		# utsname.nodename, which the guest gives another value.
		watch *((char *)&init_uts_ns + 65)
		continue
		continue
		backtrace
		printf "host name %c\n", *((char *)&init_uts_ns + 65)
		delete
		continue
	END
	expect_gdb 'Breakpoint 1, ' 'start_kernel 1 mmu 1' 'stepped 1' 'Breakpoint 2, ' 'in pl011_probe' '#0  ' 'pl011_probe' \
		'#1  ' 'in really_probe' 'in do_one_initcall' 'in kernel_init ' 'Thread 1 (vCPU 0)' 'Thread 2 (vCPU 1)' 'pc  ' '0xffff' 'sp  ' \
		'0xffff' 'Hardware watchpoint 3' 'Old value' 'New value' 'invoke_syscall' 'host name w' 'exited normally'
	finish 60
	expect_status 0
	plain_out
	expect_out '^up 2'
	expect_silence
}

describe gdb_panic "after a panic: gdb attached to a machine that hangs" 180
test_gdb_panic() {
	debugger
	symbols_of_linux
	guest_runs 'echo ready; echo c >/proc/sysrq-trigger'
	start_linux --api "$DIR/api" -a "$(say "$words" | sed 's/panic=-1/panic=0/') nokaslr"
	wait_for 'end Kernel panic' 60
	control
	expect_like 'unix socket\|"target": "'"$DIR"'/gdb"' gdbserver "{\"where\": \"unix:$DIR/gdb\"}"
	gdb_runs /tmp/vmlinux <<-'END'
		target remote /tmp/gdb
		backtrace
		kill
	END
	expect_gdb ' in sysrq_handle_crash ' ' in write_sysrq_trigger '
	finish 20
	expect_status 0
}

# gdb_at_deb: machine deb, with the socket of its gdb at /run/gdb of the tree.
gdb_at_deb() {
	debugger
	need_background
	cp "$ARMLET_PAYLOADS/payload_debugged.elf" guest.elf
	background deb -k "$(payload_path debugged)" --scratch -c 2 -m 64 -a 'rounds=1000000000'
	verb gdb --print deb
	[ "$STATUS" -eq 0 ] || fail "gdb --print: $(cat verb.err)"
	target=$(cat verb.out)
	[ "$target" = "/run/armlet/deb/gdb" ] && [ "$(stat -c %a "$target")" = 600 ] || fail "the socket is $target"
	on_exit "umount '$DIR/tree/run' 2>/dev/null"
	mount -o bind /run/armlet/deb tree/run
}
# A gdb that is told what to do by lines to descriptor 4; the machine is paused.
gdb_stays() {
	mkfifo commands
	chroot tree /usr/bin/gdb-multiarch -nx -q -ex 'target remote /run/gdb' <commands >gdb.out 2>&1 &
	gdb=$!
	exec 4>commands
	wait_until 60 paused_by_gdb || gdb_fails 'it is not paused'
}
gdb_dies() {
	kill -9 $gdb
	exec 4>&-
}
gdb_fails() {
	gdb_dies
	fail "$1: $(cat verb.out gdb.out)"
}
paused_by_gdb() {
	verb ctl deb query-status
	grep -q '"status": "paused"' verb.out
}
runs_with_gdb() {
	verb ctl deb query-status
	grep -q '"status": "running"' verb.out
}

describe gdb_attach "gdb comes to a machine that runs, goes, and comes again; others come and go meanwhile" 120
test_gdb_attach() {
	gdb_at_deb
	for time in 1 2 3; do
		gdb_runs /tmp/guest.elf <<-'END'
			target remote /run/gdb
			break landmark
			continue
			delete
				x/2i $pc
		END
		expect_gdb 'hit Breakpoint 1, landmark' '=> 0x'
		verb ctl deb query-status
		grep -q '"status": "running"' verb.out || fail "it does not go on: $(cat verb.out)"
	done
	# It is paused as long as gdb is there, whatever becomes of that.
	gdb_stays
	echo continue >&4
	wait_until 60 runs_with_gdb || gdb_fails 'it does not go on'
	verb pause deb
	wait_until 60 grep -q 'SIGINT' gdb.out || gdb_fails 'gdb is not told of the pause'
	"$ARMLET_TOOLS/sock" unix "$target" </dev/null >second 2>&1
	gdb_dies
	wait_until 60 runs_with_gdb || fail "the machine is lost with gdb: $(cat verb.out)"
	expect_verb '^deb$' kill deb
}

# registers_of CPU FILE: the general ones; time goes on for the others.
registers_of() {
	"$ARMLET" inspect deb regs --cpu "$1" >registers || gdb_fails 'inspect'
	grep -wE 'X[0-9]+|PC' registers >"$2"
}
second_moves() {
	registers_of 1 second.now
	! cmp -s second.first second.now
}

describe gdb_alone "a CPU that gdb lets run alone goes on, whoever looks at it meanwhile" 120
test_gdb_alone() {
	gdb_at_deb
	gdb_stays
	registers_of 0 first.before
	registers_of 1 second.first
	printf 'thread 2\nset scheduler-locking on\ncontinue\n' >&4
	wait_until 60 second_moves || gdb_fails 'the CPU does not run'
	mv second.now second.first
	wait_until 20 second_moves || gdb_fails 'a look at it has stopped it'
	paused_by_gdb || gdb_fails 'somebody has had the machine go on'
	registers_of 0 first.after
	cmp first.before first.after || gdb_fails 'the other has run, too'
	gdb_dies
	wait_until 60 runs_with_gdb || fail "the machine is lost with gdb: $(cat verb.out)"
	expect_verb '^deb$' kill deb
}

describe bad_gdb "--gdb: no port, no socket, a port that is taken; gdb of a machine that is not there"
test_bad_gdb() {
	image=$(payload_path null)
	refused "--gdb: 'everywhere' is neither a port" --gdb=everywhere "$image"
	refused "--gdb: 'tcp:0' is neither a port" --gdb=tcp:0 "$image"
	refused "--gdb: 'tcp:65536' is neither a port" --gdb=tcp:65536 "$image"
	refused '--gdb: unix:/nowhere/gdb cannot be made' --gdb=unix:/nowhere/gdb "$image"
	refused '--gdb: ' --gdb=/dev/null "$image"
	start run -S --gdb=tcp:1299 "$image"
	wait_until 20 grep -q ':0513 ' /proc/net/tcp
	mv out out.first
	mv err err.first
	STATUS=0
	"$ARMLET" run --gdb=1299 "$image" >out 2>err || STATUS=$?
	expect_refusal '--gdb: tcp:1299 of 127.0.0.1'
	kill -9 "$PID"
	armlet gdb none
	expect_refusal "no machine 'none' runs"
	armlet gdb
	expect_refusal 'name a machine'
}
