# SPDX-License-Identifier: Apache-2.0
# The control socket of a running machine.
# shellcheck shell=sh

# control: a client of the socket api, whose lines come to the file answers.
control() {
	mkfifo requests
	exec 5<>requests
	"$ARMLET_TOOLS/sock" connect unix:api <requests >answers 5>&- &
	wait_until 10 grep -q QMP answers || fail "the socket says nothing"
	qmp qmp_capabilities
	[ "$answer" = '{"return": {}}' ] || fail "the negotiation is answered by $answer"
}

qmp_answered() { [ "$(grep -c '^{"\(return\|error\)"' answers)" -ge "$1" ]; }

# qmp COMMAND [ARGUMENTS]: the line that answers it is left in $answer.
qmp() {
	asked=$(grep -c '^{"\(return\|error\)"' answers)
	printf '{"execute":"%s"%s}' "$1" "${2:+,\"arguments\":$2}" >&5
	wait_until 10 qmp_answered $((asked + 1)) || fail "$1 is not answered"
	answer=$(grep '^{"\(return\|error\)"' answers | tail -n 1 | tr -d '\r')
}

# expect_answer TEXT COMMAND [ARGUMENTS]
expect_answer() {
	wanted=$1
	shift
	qmp "$@"
	case $answer in
	"$wanted") say "$1: $answer" ;;
	*) fail "$1 is answered by $answer, not $wanted" ;;
	esac
}

# expect_like PATTERN COMMAND [ARGUMENTS]: the same, of a pattern as grep's.
expect_like() {
	wanted=$1
	shift
	qmp "$@"
	say "$answer" | grep -q -e "$wanted" || fail "$1 is answered by $answer, not $wanted"
}

# qmp_event PATTERN [NUMBER]: so many of them have come.
qmp_event() {
	wait_until 30 qmp_events "$1" "${2:-1}" || { cat answers; fail "no event $1"; }
}

qmp_events() { [ "$(grep -c "\"event\": \"$1" answers)" -ge "$2" ]; }

describe control_pause "stop and cont: the vCPU leaves the guest, and goes on; every client hears of it"
test_control_pause() {
	start run -k "$(payload_path idle)" -c 2 -a seconds=100 --api api
	wait_for 'idle begins'
	control
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	expect_answer '{"return": {"enabled": true, "present": true}}' query-kvm
	qmp query-cpus-fast
	for thread in $(say "$answer" | sed 's/"thread-id"/\n&/g' | sed -n 's/^"thread-id": \([0-9]*\).*/\1/p'); do
		grep -q '^vcpu[01]$' "/proc/$PID/task/$thread/comm" || fail "$thread is no vCPU's thread"
	done
	"$ARMLET_TOOLS/sock" connect unix:api </dev/null >others 2>&1 &
	expect_answer '{"return": {}}' stop
	qmp_event STOP
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	before=$(exits exits)
	sleep 1
	[ "$(exits exits)" = "$before" ] || fail "a paused machine has exits"
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {}}' cont
	qmp_event RESUME
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	wait_until 10 more_exits_than "$before" || fail "it does not go on"
	# The other one has sent nothing, and so has only been greeted.
	wait_until 10 grep -q QMP others || fail "a second client is not served"
	! qmp_events 'STOP' 2 || fail "a second stop is an event"
	expect_answer '{"return": {}}' quit
	finish 10
	expect_status 0
	qmp_event 'SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-quit", "exit-status": 0}'
	[ ! -e api ] || fail "the socket is left"
	expect_silence
}

more_exits_than() { [ "$(exits exits)" -gt "$1" ]; }

describe control_freeze "--freeze: nothing runs before it is told to; the next boot is not frozen"
test_control_freeze() {
	start run -S -k "$(payload_path idle)" -c 2 -a seconds=100 --api api
	wait_until 20 test -S api
	control
	expect_answer '{"return": {"running": false, "status": "prelaunch"}}' query-status
	sleep 1
	[ ! -s out ] || fail "it runs"
	# What is asked of it meanwhile changes nothing.
	expect_answer '{"return": {}}' stop
	expect_like '"PC": "0x40080000"' inspect-registers
	expect_answer '{"return": {"running": false, "status": "prelaunch"}}' query-status
	expect_answer '{"return": {}}' cont
	qmp_event RESUME
	wait_for 'idle begins'
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_answer '{"return": {}}' cont
	expect_answer '{"return": {}}' system_reset
	wait_until 20 seen_times 'idle begins' 2 || fail "the next boot does not run"
	expect_answer '{"return": {}}' quit
	finish 10
	expect_status 0
	expect_silence
	# One that is frozen ends like any other.
	start run -S -k "$(payload_path idle)" -c 2
	sleep 1
	kill "$PID"
	sleep 0.3
	kill "$PID"
	finish 10
	expect_status 143
}

describe control_life "system_reset, also of a paused machine; system_powerdown; the guest's own end" 120
test_control_life() {
	guest_runs 'echo ready; read -r word'
	converse --api api
	wait_for '^ready' 60
	control
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {}}' system_reset
	qmp_event 'RESET", "data": {"guest": false, "reason": "host-qmp-system-reset"}'
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_answer '{"return": {}}' cont
	wait_until 60 ready_times 2 || fail "it does not boot again"
	expect_answer '{"return": {}}' system_powerdown
	qmp_event POWERDOWN
	farewell 40
	expect_status 0
	expect_out 'guest: power key'
	qmp_event 'SHUTDOWN", "data": {"guest": true, "reason": "guest-shutdown", "exit-status": 0}'
	expect_silence
}

describe control_suspend "a Linux guest suspends to RAM: its clock, system_wakeup and the power key wake it" 120
test_control_suspend() {
	[ "$(kvm_fact system-suspend)" = true ] || skip "this host's KVM leaves no suspend to us"
	guest_script <<-'END'
		cat /sys/power/mem_sleep
		echo ready
		while read -r word; do
			[ "$word" != alarm ] || echo +2 >/sys/class/rtc/rtc0/wakealarm
			echo mem >/sys/power/state
			echo "woken $word $(nproc)"
		done
	END
	converse -c 2 --api api
	wait_for '^ready' 60
	expect_out '\[deep\]'
	control
	expect_like '"desc": "the guest is not suspended' system_wakeup
	tell alarm
	qmp_event SUSPEND
	wait_for '^woken alarm 2' 60
	qmp_event WAKEUP
	tell word
	qmp_event SUSPEND 2
	expect_answer '{"return": {"running": false, "status": "suspended"}}' query-status
	# It sleeps on over a pause, in which nothing can wake it for good.
	expect_answer '{"return": {}}' stop
	expect_answer '{"return": {"running": false, "status": "paused"}}' query-status
	expect_answer '{"return": {}}' cont
	expect_answer '{"return": {"running": false, "status": "suspended"}}' query-status
	expect_answer '{"return": {}}' system_wakeup
	wait_for '^woken word 2' 60
	qmp_event WAKEUP 2
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	tell again
	qmp_event SUSPEND 3
	expect_answer '{"return": {}}' system_reset
	wait_until 60 ready_times 2 || fail "after a reset it does not boot"
	tell key
	qmp_event SUSPEND 4
	expect_answer '{"return": {}}' system_powerdown
	farewell 60
	expect_status 0
	expect_out 'guest: power key'
	expect_silence
}

describe control_nmi "inject-nmi: Linux panics of an SError interrupt, as it does when the machine is broken" 60
test_control_nmi() {
	guest_runs 'echo ready; read -r word'
	converse --api api --no-reboot
	wait_for '^ready' 60
	control
	expect_answer '{"return": {}}' inject-nmi
	farewell 40
	expect_status 255
	expect_out 'SError Interrupt on CPU0'
	expect_out 'Kernel panic - not syncing: Asynchronous SError Interrupt'
	qmp_event GUEST_PANICKED
}

describe control_no_reboot "system_reset with --no-reboot: the end, by the host"
test_control_no_reboot() {
	start run -k "$(payload_path idle)" -a seconds=100 --no-reboot --api api
	wait_for 'idle begins'
	control
	expect_answer '{"return": {}}' system_reset
	finish 10
	expect_status 0
	qmp_event 'SHUTDOWN", "data": {"guest": false, "reason": "host-qmp-system-reset", "exit-status": 0}'
	! qmp_events RESET 1 || fail "it is told as a reset, too"
	expect_silence
}

describe control_balloon "balloon and query-balloon, with a driver and without" 90
test_control_balloon() {
	memory_guest
	converse --balloon --api api
	wait_for '^ready' 60
	control
	qmp query-balloon
	[ "$answer" = '{"return": {"actual": 268435456}}' ] || fail "at first it is $answer"
	told free
	expect_answer '{"return": {}}' balloon '{"value":201326592}'
	wait_until 30 balloon_is 201326592 || fail "the balloon does not grow: $answer"
	expect_answer '{"return": {}}' balloon '{"value":268435456}'
	wait_until 30 balloon_is 268435456 || fail "the balloon does not give back: $answer"
	told unload
	qmp query-balloon
	case $answer in
	'{"error": {"class": "DeviceNotActive", "desc": "No balloon device has been activated'*) ;;
	*) fail "without a driver: $answer" ;;
	esac
	tell off
	farewell 40
	expect_status 0
}

balloon_is() {
	qmp query-balloon
	[ "$answer" = "{\"return\": {\"actual\": $1}}" ]
}

describe control_devices "query-block, block_resize and set_link: the guest sees it, also after a reboot" 90
test_control_devices() {
	need_taps
	guest_script <<-'END'
		ifconfig eth0 up
		echo ready
		# By itself: a read with a time loses the line that it is in the midst of.
		exec 3<&0
		{ read -r word <&3; reboot -f; } &
		last=
		while sleep 0.1; do
			now="sees $(cat /sys/block/vda/size) $(cat /sys/class/net/eth0/carrier)"
			[ "$now" = "$last" ] || echo "$now"
			last=$now
		done
	END
	truncate -s 1M raw ro ephemeral
	converse --api api -d raw -d ro,ro -d ephemeral,ephemeral -n tap=armtap1
	wait_for '^sees 2048 1' 60
	control
	qmp query-block
	case $answer in
	*'"device": "disk0", "type": "unknown", "removable": false, "locked": false, "inserted": {"file": "raw", "ro": false, "drv": "raw", "image": {"filename": "raw", "format": "raw", "virtual-size": 1048576}}'*) ;;
	*) fail "the disks are $answer" ;;
	esac
	case $answer in
	*'"device": "disk1"'*'"ro": true'*'"device": "disk2"'*) ;;
	*) fail "the disks are $answer" ;;
	esac
	expect_answer '{"return": {}}' block_resize '{"device":"disk0","size":4194304}'
	wait_for '^sees 8192 1'
	[ "$(stat -c %s raw)" -eq 4194304 ] || fail "the file has $(stat -c %s raw) bytes"
	expect_answer '{"return": {}}' block_resize '{"device":"disk0","size":524288}'
	wait_for '^sees 1024 1'
	expect_answer '{"return": {}}' set_link '{"name":"net0","up":false}'
	wait_for '^sees 1024 0'
	expect_answer '{"return": {}}' set_link '{"name":"net0","up":true}'
	wait_until 20 seen_times '^sees 1024 1' 2 || fail "the link does not come back"
	expect_answer '{"return": {}}' set_link '{"name":"net0","up":false}'
	wait_until 20 seen_times '^sees 1024 0' 2 || fail "the link does not go"
	tell again
	wait_until 60 seen_times '^sees 1024 0' 3 || fail "after a reboot the cable is in"
	error='{"error": {"class": "GenericError", "desc": "'
	expect_answer "${error}disk0 (raw): its size is a multiple of its blocks of 512 bytes\"}}" \
		block_resize '{"device":"disk0","size":1000}'
	expect_answer "${error}disk1 (ro): Read-only file system\"}}" block_resize '{"device":"disk1","size":512}'
	expect_answer "${error}disk2 (ephemeral): its size is not ours to change: only that of a raw file is\"}}" \
		block_resize '{"device":"disk2","size":512}'
	expect_answer "${error}Parameter 'size' is missing\"}}" block_resize '{"device":"disk0"}'
	expect_answer "${error}Parameter 'size' is out of range: it is from 0 to 9223372036854775807\"}}" \
		block_resize '{"device":"disk0","size":-1}'
	error='{"error": {"class": "DeviceNotFound", "desc": "'
	expect_answer "${error}there is no disk 'disk3'\"}}" block_resize '{"device":"disk3","size":512}'
	expect_answer "${error}there is no network 'net1'\"}}" set_link '{"name":"net1","up":true}'
	expect_answer '{"return": {}}' quit
	farewell
	expect_status 0
}

seen_times() { [ "$(tr -d '\r' <out | grep -c "$1")" -ge "$2" ]; }

describe control_rounds "stop and cont, over and over, under disk and network load: nothing is lost" 120
test_control_rounds() {
	need_taps
	www 65536
	guest_script <<-'END'
		ifconfig eth0 10.77.1.2 netmask 255.255.255.0 up
		echo ready
		head -c 262144 /dev/urandom >data
		sum=$(md5sum <data)
		load() {
			rounds=0
			until [ -e off ]; do
				dd if=data of=/dev/vda bs=16384 oflag=direct 2>/dev/null || echo "trouble: a write"
				[ "$(dd if=/dev/vda bs=16384 count=16 iflag=direct 2>/dev/null | md5sum)" = "$sum" ] ||
					echo "trouble: a read"
				echo "fetched $(wget -q -O - http://10.77.1.1:8080/blob | md5sum)"
				rounds=$((rounds + 1))
			done
			echo "rounds $rounds"
		}
		load &
		read -r word
		: >off
		wait
	END
	truncate -s 1M disk
	converse -c 2 --api api -d disk -n tap=armtap1
	wait_until 20 interface armtap1 || fail "there is no armtap1"
	ifconfig armtap1 10.77.1.1 netmask 255.255.255.0
	wait_for '^ready' 60
	control
	count=0
	while [ $count -lt "${ARMLET_ROUNDS:-20}" ]; do
		qmp stop
		[ "$answer" = '{"return": {}}' ] || fail "stop is answered by $answer"
		qmp cont
		[ "$answer" = '{"return": {}}' ] || fail "cont is answered by $answer"
		count=$((count + 1))
	done
	[ "$(grep -c '"event": "STOP"' answers)" -eq $count ] && [ "$(grep -c '"event": "RESUME"' answers)" -eq $count ] ||
		fail "not each was told of"
	tell off
	farewell 60
	expect_status 0
	expect_silence
	expect_no_out trouble
	[ "$(sed -n 's/^rounds //p' out)" -ge 2 ] || fail "nothing was done meanwhile"
	[ "$(grep -c '^fetched' out)" -eq "$(grep -c "^fetched $sum" out)" ] || fail "a file was not right"
}

# A root with clients that are not ours, and a machine for them.
clients_of_others() {
	tree_of clients.img /dev
	start run -k "$(payload_path idle)" -c 2 -a seconds=1000 --api api
	wait_for 'idle begins'
}

describe control_clients "clients that are not ours: Python's qemu.qmp, and socat" 60
test_control_clients() {
	clients_of_others
	cat >client.py <<-'END'
		import asyncio
		from qemu.qmp import ExecuteError, QMPClient

		async def main():
		    first, second = QMPClient("first"), QMPClient("second")
		    await first.connect("/tmp/api")
		    await second.connect("/tmp/api")
		    print("version", first.greeting.QMP.version["package"])
		    print("cpus", len(await first.execute("query-cpus-fast")))
		    with first.listener() as mine, second.listener("STOP") as theirs:
		        await first.execute("stop")
		        print("mine", (await mine.get())["event"], "theirs", (await theirs.get())["event"])
		        await second.execute("cont")
		        print("mine", (await mine.get())["event"])
		    states = await asyncio.gather(*[c.execute("query-status") for c in (first, second) * 20])
		    print("running", sum(state["running"] for state in states))
		    for command, arguments in (("none-such", None), ("balloon", {"value": "x"}), ("balloon", {"value": 1})):
		        try:
		            await first.execute(command, arguments)
		        except ExecuteError as error:
		            print("refused", error.error_class, error)
		    schema = await first.execute("query-qmp-schema")
		    print("in the schema", sum(e["meta-type"] == "command" for e in schema) ==
		          len(await second.execute("query-commands")))
		    await second.disconnect()
		    with first.listener("SHUTDOWN") as mine:
		        await first.execute("quit")
		        print("end", (await mine.get())["data"]["reason"])
		    try:
		        await first.disconnect()
		    except EOFError:
		        pass

		asyncio.run(main())
	END
	printf '{"execute":"qmp_capabilities"}{"execute":"query-status","id":"x"}' |
		chroot tree socat -t 5 - UNIX-CONNECT:/tmp/api >socat.out
	tr -d '\r' <socat.out | tail -n 1 >last
	[ "$(cat last)" = '{"return": {"running": true, "status": "running"}, "id": "x"}' ] || fail "socat: $(cat socat.out)"
	chroot tree python3 /tmp/client.py >python.out 2>&1 || fail "qemu.qmp: $(cat python.out)"
	cat >wanted <<-'END'
		version armlet-0.1.0
		cpus 2
		mine STOP theirs STOP
		mine RESUME
		running 40
		refused CommandNotFound The command none-such has not been found
		refused GenericError Invalid parameter type for 'value', expected: integer
		refused DeviceNotActive No balloon device has been activated: the machine is to be started with --balloon, and its guest needs the driver
		in the schema True
		end host-qmp-quit
	END
	expect_same python.out wanted
	finish
	expect_status 0
	expect_silence
}

describe control_crowd "1,000 clients at once are served, and cost less than 4 MB while they are idle" 90
test_control_crowd() {
	clients_of_others
	# Until its start is over, and what that needed is given back.
	sleep 8
	before=$(resident "$PID")
	cat >crowd.py <<-'END'
		import json, socket, sys

		def connect():
		    client = socket.socket(socket.AF_UNIX)
		    client.connect("/tmp/api")
		    lines = client.makefile("rw")
		    assert "QMP" in json.loads(lines.readline())
		    return lines

		def ask(lines, command):
		    lines.write(json.dumps({"execute": command}))
		    lines.flush()
		    return json.loads(lines.readline())

		crowd = [connect() for _ in range(1000)]
		for lines in crowd:
		    assert ask(lines, "qmp_capabilities") == {"return": {}}
		    assert ask(lines, "query-status")["return"]["running"]
		print("all served", flush=True)
		sys.stdin.readline()
		assert ask(crowd[0], "stop")["event"] == "STOP"
		for lines in crowd[1:]:
		    assert json.loads(lines.readline())["event"] == "STOP"
		print("all told", flush=True)
		ask(crowd[0], "quit")
	END
	mkfifo go
	exec 6<>go
	chroot tree python3 /tmp/crowd.py <go >crowd 2>&1 6>&- &
	wait_until 60 grep -q 'all served' crowd || fail "$(cat crowd)"
	after=$(resident "$PID")
	say "$before kB alone, $after kB with 1,000 clients"
	[ $((after - before)) -lt 4000 ] || fail "1,000 clients cost $((after - before)) kB"
	echo go >&6
	wait_until 60 grep -q 'all told' crowd || fail "$(cat crowd)"
	exec 6>&-
	finish
	expect_status 0
}

describe control_errors "commands and arguments that cannot be; what is no JSON"
test_control_errors() {
	start run -k "$(payload_path idle)" -a seconds=1000 --api api
	wait_for 'idle begins'
	control
	error='{"error": {"class": "GenericError", "desc": "'
	expect_answer '{"error": {"class": "CommandNotFound", "desc": "The command no-such has not been found"}}' no-such
	expect_answer "${error}Parameter 'value' is missing\"}}" balloon
	expect_answer "${error}Parameter 'value' is out of range: it is from 1 to 9223372036854775807\"}}" \
		balloon '{"value":0}'
	expect_answer "${error}Invalid parameter type for 'value', expected: integer\"}}" balloon '{"value":"1G"}'
	expect_answer "${error}Parameter 'size' is unexpected\"}}" stop '{"size":1}'
	qmp balloon '{"value":1}'
	case $answer in *DeviceNotActive*) ;; *) fail "no balloon: $answer" ;; esac
	before=$(resident "$PID")
	for text in '[' '{"execute":' '{"execute":"stop","arguments":{"x":"y"}' "'" '{"a":'; do
		yes "$text" 2>/dev/null | head -c 2000000 | "$ARMLET_TOOLS/sock" connect unix:api >others 2>&1
		grep -q 'JSON parse error' others || fail "$text: no error: $(head -c 300 others)"
	done
	# One that takes no answers is left alone with them.
	yes '{"execute":"query-status"}' 2>/dev/null | head -c 2000000 >flood
	mkfifo untaken
	exec 6<>untaken
	"$ARMLET_TOOLS/sock" connect unix:api <flood >&6 5>&- &
	stuck=$!
	sleep 1
	expect_answer '{"return": {"running": true, "status": "running"}}' query-status
	expect_at_most "$(resident "$PID")" $((before + 100)) "kB after garbage"
	kill "$stuck"
	exec 6>&-
	kill -KILL "$PID"
	wait "$PID"
	# What a killed one has left makes way.
	start run -k "$(payload_path null)" --api api
	finish 10
	expect_status 0
	[ ! -e api ] || fail "the socket is left"
}

describe control_others "another user's program is turned away, whatever the socket's mode"
test_control_others() {
	[ "$(id -u)" -eq 0 ] || skip "only root can be another"
	start run -k "$(payload_path idle)" -a seconds=100 --api api
	wait_for 'idle begins'
	[ "$(stat -c %a api)" = 600 ] || fail "the socket's mode is $(stat -c %a api)"
	chmod 666 api
	chmod 755 "$DIR/.."
	"$ARMLET_TOOLS/unprivileged" "$(for_others "$ARMLET_TOOLS/sock")" connect unix:api </dev/null >answers 2>&1
	[ ! -s answers ] || fail "it is greeted"
	expect_err "armlet: api: another user's program was turned away"
	kill -QUIT "$PID"
	finish 10
}

describe bad_api "sockets that cannot be made"
test_bad_api() {
	null=$(payload_path null)
	refused -- '--api: unix:none/api cannot be made: No such file or directory' -k "$null" --api none/api
	echo x >file
	refused -- '--api: unix:file is there and is no socket; remove it' -k "$null" --api file
	refused -- '--api: unix:.* is too long: a socket.s path has at most' -k "$null" \
		--api "$(printf '%0200d' 0)"
	start run -k "$(payload_path idle)" -a seconds=100 --api api
	wait_for 'idle begins'
	armlet_two --api api
	grep -q -- '--api: unix:api is in use by another process; give another path' two.err ||
		fail "the second one says $(cat two.err)"
	kill -QUIT "$PID"
	finish 10
}

armlet_two() {
	! "$ARMLET" run -k "$(payload_path null)" "$@" >two.out 2>two.err || fail "the second one runs"
}
