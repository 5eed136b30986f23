# SPDX-License-Identifier: Apache-2.0
# The guest's memory as a file for debuggers.
# shellcheck shell=sh

# The file vmcore is a core file of arm64 and not of something else.
expect_core() {
	[ "$(od -An -tx1 -N 6 vmcore | tr -d ' ')" = 7f454c460201 ] || fail "that is no ELF file of 64 bits"
	[ "$(od -An -tu2 -j 16 -N 4 vmcore | tr -s ' ')" = ' 4 183' ] || fail "it is no core file of AArch64"
}

describe dump_linux "dump: Debian's gdb reads a Linux guest's strings, threads and registers in it" 120
test_dump_linux() {
	need_guest "$guest"
	# Where a string of the kernel's is: in its file, and so in its image, whose first
	# 64 KiB are .head.text (arch/arm64/kernel/vmlinux.lds.S, SEGMENT_ALIGN).
	offset=$(strings -t d "$(kernel "$guest")" | sed -n 's/^ *\([0-9]*\) Linux version [0-9].*/\1/p' | head -n 1)
	[ -n "$offset" ] || skip "this kernel's file is packed"
	guest_runs 'echo "text $(grep " _stext$" /proc/kallsyms)"
		echo "version $(cat /proc/version)"
		read -r word; echo "heard $word"'
	converse -c 2 --name dumped --api api
	wait_for '^version' 60
	verb dump dumped vmcore
	[ "$STATUS" -eq 0 ] && [ ! -s verb.out ] && [ ! -s verb.err ] || fail "dump: $STATUS $(cat verb.out verb.err)"
	expect_core
	[ "$(stat -c %a vmcore)" = 600 ] || fail "others may read it"
	[ "$(du -k vmcore | cut -f 1)" -lt $(($(stat -c %s vmcore) / 2048)) ] || fail "it is not sparse: $(du -k vmcore)"
	tree_of tools.img
	text=$(sed -n 's/^text \([0-9a-f]*\) .*/\1/p' out)
	chroot tree gdb -nx -batch -ex 'core-file /tmp/vmcore' -ex "x/s 0x$text - 65536 + $offset" -ex 'info threads' \
		-ex 'thread 2' -ex 'info registers pc sp' >gdb.out 2>&1 || fail "gdb: $(cat gdb.out)"
	version=$(sed -n 's/^version //p' out | tr -d '\r' | cut -c 1-60)
	grep -qF "$version" gdb.out || fail "the banner is not there: $(cat gdb.out)"
	[ "$(grep -c '^[* ] *[12] *LWP' gdb.out)" -eq 2 ] || fail "it has not two threads: $(cat gdb.out)"
	grep -q '^pc *0xffff' gdb.out && grep -q '^sp *0xffff' gdb.out || fail "the second vCPU is not in its kernel: $(cat gdb.out)"
	tell again
	farewell 40
	expect_status 0
	expect_out '^heard again'
	expect_silence
}

describe dump_plain "dump-guest-memory: all memory, or a part; what there is none of; by a descriptor" 60
test_dump_plain() {
	clients_of_others
	control
	expect_answer '{"return": {"status": "none", "completed": 0, "total": 0}}' query-dump
	expect_answer '{"return": {"formats": ["elf"]}}' query-dump-guest-memory-capability
	echo before >vmcore
	expect_answer '{"return": {}}' dump-guest-memory "{\"paging\":false,\"protocol\":\"file:$PWD/vmcore\"}"
	expect_like '"completed", "completed": 536870912, "total": 536870912}}' query-dump
	qmp_event 'DUMP_PROGRESS", "data": {"completed": 536870912, "total": 536870912'
	qmp_event 'DUMP_COMPLETED", "data": {"result": {"status": "completed"'
	qmp_event STOP
	qmp_event RESUME
	expect_core
	[ "$(stat -c %s vmcore)" -eq $((536870912 + 65536)) ] || fail "it has $(stat -c %s vmcore) bytes"
	[ "$(du -k vmcore | cut -f 1)" -lt 16384 ] || fail "it is not sparse: $(du -k vmcore)"
	# Where a raw kernel is: the file's first bytes.
	tail -c +$((65536 + 0x80000 + 1)) vmcore | head -c 64 >there
	head -c 64 "$(payload_path idle)" >kernel
	cmp there kernel || fail "the kernel is not where it was put"
	expect_answer '{"return": {}}' dump-guest-memory \
		"{\"paging\":false,\"protocol\":\"file:$PWD/part\",\"begin\":1074266112,\"length\":4096,\"format\":\"elf\"}"
	tail -c +65537 part | head -c 64 | cmp - kernel || fail "a part has not its bytes"
	[ "$(stat -c %s part)" -eq $((65536 + 4096)) ] || fail "the part has $(stat -c %s part) bytes"
	# A machine that is paused stays so.
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {}}' dump-guest-memory "{\"paging\":false,\"protocol\":\"file:$PWD/vmcore\"}"
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_answer '{"return": {}}' cont
	cat >client.py <<-'END'
		import asyncio, os
		from qemu.qmp import ExecuteError, QMPClient

		async def main():
		    client = QMPClient()
		    await client.connect("/tmp/api")
		    with open("/tmp/by-fd", "wb") as file:
		        client.send_fd_scm(file.fileno())
		    await client.execute("getfd", {"fdname": "mine"})
		    await client.execute("dump-guest-memory", {"paging": False, "protocol": "fd:mine"})
		    for command, arguments in (("getfd", {"fdname": "none"}), ("closefd", {"fdname": "mine"}),
		            ("dump-guest-memory", {"paging": False, "protocol": "fd:mine"})):
		        try:
		            await client.execute(command, arguments)
		        except ExecuteError as error:
		            print("refused", error)
		    with open("/dev/null") as file:
		        client.send_fd_scm(file.fileno())
		    await client.execute("getfd", {"fdname": "other"})
		    await client.execute("closefd", {"fdname": "other"})
		    await client.execute("quit")

		asyncio.run(main())
	END
	chroot tree python3 /tmp/client.py >python.out 2>&1 || grep -q EOFError python.out || fail "qemu.qmp: $(cat python.out)"
	cat >wanted <<-'END'
		refused No file descriptor supplied via SCM_RIGHTS
		refused File descriptor named 'mine' not found
		refused File descriptor named 'mine' not found
	END
	sed -n '/^refused/p' python.out >refused
	expect_same refused wanted
	finish
	expect_status 0
	expect_silence
	[ "$(stat -c %s by-fd)" -eq $((536870912 + 65536)) ] || fail "it has $(stat -c %s by-fd) bytes"
}

# expect_no_dump TEXT ARGUMENTS: refused so, and no file is left.
expect_no_dump() {
	expect_like "^{\"error\": {\"class\": \"GenericError\", \"desc\": \"$1" dump-guest-memory "$2"
	[ "$(find . -name 'vmcore*')" = '' ] || fail "there is $(find . -name 'vmcore*')"
}

describe dump_refused "dumps that cannot be: arguments, folders, a full disk; and one that is cancelled, or whose client hangs up" 60
test_dump_refused() {
	start run -k "$(payload_path idle)" -m 64 -a seconds=1000 --api api --name idle
	wait_for 'idle begins'
	control
	expect_no_dump "Parameter 'paging' is missing" '{"protocol":"file:vmcore"}'
	expect_no_dump "parameter 'protocol' must start" '{"paging":false,"protocol":"tcp:vmcore"}'
	expect_no_dump "parameters 'begin' and 'length' must be given together" '{"paging":false,"protocol":"file:vmcore","begin":0}'
	expect_no_dump "parameter 'begin' cannot be used with paging" '{"paging":true,"protocol":"file:vmcore","begin":0,"length":4096}'
	expect_no_dump "the machine's memory is from 0x40000000 to 0x43ffffff" \
		'{"paging":false,"protocol":"file:vmcore","begin":0,"length":4096}'
	expect_no_dump "begin and length are not multiples of 4096" \
		'{"paging":false,"protocol":"file:vmcore","begin":1073741824,"length":1}'
	expect_no_dump "the guest has no kernel that tells its virtual addresses" '{"paging":true,"protocol":"file:vmcore"}'
	expect_no_dump "/nowhere/vmcore: No such file or directory" '{"paging":false,"protocol":"file:/nowhere/vmcore"}'
	expect_no_dump "$DIR: Is a directory" "{\"paging\":false,\"protocol\":\"file:$DIR\"}"
	expect_no_dump "Parameter 'format' does not accept value 'win-dmp'" '{"paging":false,"protocol":"file:vmcore","format":"win-dmp"}'
	expect_like '{"return": {"status": "failed", ' query-dump
	expect_no_verb 'dump without paging, --physical' dump idle vmcore
	expect_no_verb 'names no file' dump idle vmcore/
	expect_no_verb 'no machine .other. runs' dump other vmcore
	# A reader that does not read: the dump goes on for ever.
	mkfifo pipe
	exec 6<>pipe
	expect_answer '{"return": {}}' dump-guest-memory '{"paging":false,"protocol":"file:pipe","detach":true}'
	expect_like '{"return": {"status": "active", ' query-dump
	expect_like '"a dump is being written already"}}' dump-guest-memory '{"paging":false,"protocol":"file:vmcore"}'
	expect_like 'There is a dump in process' cont
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_answer '{"return": {}}' dump-cancel
	qmp_event 'DUMP_COMPLETED", "data": {"result": {"status": "failed", .*"error": "the dump was cancelled"'
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	# Of the dumps that were refused, too, some have stopped it for a moment.
	stops=$(grep -c '"event": "STOP"' answers)
	"$ARMLET_TOOLS/sock" connect unix:api >hanger <<-'END' &
		{"execute":"qmp_capabilities"}{"execute":"dump-guest-memory","arguments":{"paging":false,"protocol":"file:pipe"}}
	END
	hanger=$!
	qmp_event STOP $((stops + 1))
	kill $hanger
	qmp_event 'DUMP_COMPLETED' 2
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	if emulated; then
		mounted full -t tmpfs -o size=64k none
		expect_no_dump '.*No space left on device' "{\"paging\":false,\"protocol\":\"file:$PWD/full/vmcore\"}"
	fi
	# It ends with the machine.
	expect_answer '{"return": {}}' dump-guest-memory '{"paging":false,"protocol":"file:pipe","detach":true}'
	expect_answer '{"return": {}}' quit
	finish
	expect_status 0
	expect_silence
}

describe dump_terminal "dump on a terminal: how far it is; Ctrl-c ends it, and nothing stays"
test_dump_terminal() {
	start run -k "$(payload_path idle)" -m 256 -a seconds=1000 --name shown
	wait_for 'idle begins'
	terminal "$ARMLET" dump --physical shown vmcore <<-'END'
		expect % of 256 MiB
		expect % of 256 MiB
		status 0
		restored
	END
	expect_core
	rm vmcore
	mkfifo pipe
	exec 6<>pipe
	terminal "$ARMLET" dump --physical shown pipe <<-'END'
		expect   0 %
		send \x03
		status 130
	END
	wait_until 10 running_again || fail "it does not go on: $(cat verb.out)"
	expect_verb '"status": "failed"' ctl shown query-dump
	verb kill shown
	finish
	expect_status 0
	expect_silence
}

running_again() { verb ctl shown query-status && grep -q '"running": true' verb.out; }
