# SPDX-License-Identifier: Apache-2.0
# What is counted of a machine: query-stats, query-blockstats and armlet top.
# shellcheck shell=sh

# counted NAME: its value in $answer.
counted() { say "$answer" | sed -n "s/.*\"name\": \"$1\", \"value\": \([0-9]*\).*/\1/p"; }

# block_count NAME: the same of the first disk.
block_count() { say "$answer" | sed -n "s/[^}]*\"$1\": \([0-9]*\).*/\1/p"; }

# ask_stats TARGET PROVIDER
ask_stats() { qmp query-stats "{\"target\":\"$1\",\"providers\":[{\"provider\":\"$2\"}]}"; }

describe stats_halt_poll "--halt-poll: for how long KVM waits for an idle vCPU, as it counts itself" 90
test_stats_halt_poll() {
	guest_runs 'for i in 1 2 3 4 5 6 7 8 9 10; do usleep 1000; done; echo slept; read -r word'
	for poll in 0 20000000; do
		converse --api api --halt-poll $poll
		wait_for '^slept' 60
		control
		ask_stats vcpu kvm
		case $poll in
		0) [ "$(counted halt_attempted_poll)" -eq 0 ] || fail "it waits: $answer" ;;
		*) [ "$(counted halt_attempted_poll)" -gt 0 ] || fail "it does not wait: $answer" ;;
		esac
		tell end
		farewell
		expect_status 0
	done
	refused "--halt-poll: '1000000001' is not a number from 0 to 1000000000" -k "$(kernel 6.1)" \
		--halt-poll 1000000001
}

describe stats_kvm "KVM's counters and ours agree on a guest that causes 5,000 exits; pause and reset" 60
test_stats_kvm() {
	start run -k "$(payload_path idle)" -m 256 -a 'seconds=1000 reads=5000' --api api
	wait_for 'idle begins'
	control
	# The guest is idle now but for its timer, which is no exit to us.
	expect_answer '{"return": {}}' stop
	ask_stats vcpu armlet
	ours=$(counted exits-mmio)
	[ "$ours" -ge 5000 ] && [ "$ours" -lt 5100 ] || fail "we count $ours exits for MMIO: $answer"
	[ "$(counted exits)" -ge "$ours" ] || fail "the sum is less than a part: $answer"
	[ "$(counted cpu-time)" -gt 0 ] || fail "it has run without CPU time: $answer"
	ask_stats vcpu kvm
	[ "$(counted mmio_exit_user)" = "$ours" ] || fail "KVM counts $(counted mmio_exit_user), we $ours"
	[ "$(counted exits)" -ge "$ours" ] || fail "KVM counts $(counted exits) exits in all"
	ask_stats vm kvm
	[ -n "$(counted remote_tlb_flush)" ] || fail "nothing is counted of the VM: $answer"
	ask_stats vm armlet
	[ "$(counted memory-size)" = 268435456 ] || fail "the memory is $(counted memory-size)"
	[ "$(counted memory-resident)" -lt 16000000 ] || fail "$(counted memory-resident) bytes are resident"
	qmp query-stats-schemas '{"provider":"kvm"}'
	case $answer in
	*'{"name": "mmio_exit_user", "type": "cumulative", "exponent": 0}'*) ;;
	*) fail "the schema is $answer" ;;
	esac
	expect_answer '{"return": {}}' cont
	ask_stats vcpu kvm
	before=$(counted exits)
	wait_until 20 counts_more exits "$before" || fail "it does not go on"
	expect_answer '{"return": {}}' system_reset
	wait_until 30 seen_times 'idle begins' 2 || fail "it does not boot again"
	ask_stats vcpu armlet
	ours=$(counted exits-mmio)
	[ "$ours" -ge 5000 ] && [ "$ours" -lt 5100 ] || fail "after a reset we count $ours"
	expect_answer '{"return": {}}' quit
	finish
	expect_status 0
}

counts_more() {
	ask_stats vcpu kvm
	[ "$(counted "$1")" -gt "$2" ]
}

describe stats_busy "counters of vCPUs that are just starting are opened without harm, 20 boots long" 90
test_stats_busy() {
	start run -k "$(payload_path idle)" -c 4 -a 'seconds=1000 reads=200' --api api
	wait_until 20 test -S api
	control
	for round in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
		ask_stats vcpu kvm
		[ "$(say "$answer" | grep -o qom-path | wc -l)" -eq 4 ] || fail "round $round: $answer"
		wait_until 30 seen_times 'idle begins' "$round" || fail "boot $round does not come"
		expect_answer '{"return": {}}' system_reset
	done
	wait_until 30 seen_times 'idle begins' 21 || fail "the last boot does not come"
	fds=$(find "/proc/$PID/fd" -type l | wc -l)
	ask_stats vcpu kvm
	ask_stats vcpu kvm
	[ "$(find "/proc/$PID/fd" -type l | wc -l)" -le $((fds + 4)) ] || fail "descriptors are left open"
	expect_answer '{"return": {}}' quit
	finish
	expect_status 0
}

describe stats_linux "disks and networks count what a Linux guest has moved; consoles are told" 90
test_stats_linux() {
	need_taps
	www 65536
	guest_script <<-'END'
		ifconfig eth0 10.77.1.2 netmask 255.255.255.0 up
		echo ready
		read -r word
		dd if=/dev/zero of=/dev/vda bs=65536 count=16 oflag=direct conv=fsync 2>/dev/null
		dd if=/dev/vda of=/dev/null bs=65536 count=8 iflag=direct 2>/dev/null
		blkdiscard -o 524288 -l 131072 /dev/vda
		wget -q -O - http://10.77.1.1:8080/blob >/dev/null
		exec 4<"$(port_named agent)"
		echo moved
		read -r word
	END
	truncate -s 4M disk
	converse --api api -d disk -n tap=armtap1 --console null --port agent=unix:agent
	wait_until 20 interface armtap1 || fail "there is no armtap1"
	ifconfig armtap1 10.77.1.1 netmask 255.255.255.0
	wait_for '^ready' 60
	control
	qmp query-blockstats
	rd=$(block_count rd_bytes) wr=$(block_count wr_bytes) ops=$(block_count wr_operations)
	ask_stats vm armlet
	rx=$(counted net0-rx-bytes) tx=$(counted net0-tx-packets)
	expect_answer '{"return": [{"label": "serial0", "filename": "stdio", "frontend-open": true}, {"label": "console0", "filename": "null", "frontend-open": true}, {"label": "agent", "filename": "agent", "frontend-open": false}]}' \
		query-chardev
	tell go
	wait_for '^moved' 60
	qmp query-blockstats
	[ $(($(block_count wr_bytes) - wr)) -eq 1048576 ] || fail "of 1048576 bytes: $answer"
	[ $(($(block_count wr_operations) - ops)) -eq 16 ] || fail "of 16 writes: $answer"
	[ $(($(block_count rd_bytes) - rd)) -eq 524288 ] || fail "of 524288 bytes: $answer"
	[ "$(block_count flush_operations)" -ge 1 ] || fail "no flush: $answer"
	[ "$(block_count unmap_bytes)" -eq 131072 ] || fail "of a discard of 131072 bytes: $answer"
	[ "$(block_count failed_wr_operations)" -eq 0 ] || fail "something failed: $answer"
	ask_stats vm armlet
	got=$(($(counted net0-rx-bytes) - rx))
	[ $got -gt 65536 ] && [ $got -lt 100000 ] || fail "of 65536 bytes it received $got"
	[ $(($(counted net0-tx-packets) - tx)) -ge 3 ] || fail "it has sent nothing: $answer"
	qmp query-chardev
	case $answer in *'"label": "agent", "filename": "agent", "frontend-open": true'*) ;; *) fail "$answer" ;; esac
	tell off
	farewell 60
	expect_status 0
}

describe stats_errors "arguments that cannot be, by QMP and by words"
test_stats_errors() {
	begin stats
	expect_no_verb "'target' is missing" ctl stats query-stats
	expect_no_verb "'target' does not accept value 'x'" ctl stats query-stats target=x
	expect_no_verb "'vcpus' is unexpected" ctl stats query-stats target=vm 'vcpus=[]'
	expect_no_verb "vcpus: 'x' is not JSON" ctl stats query-stats target=vcpu vcpus=x
	expect_no_verb "type for 'vcpus', expected: array" ctl stats query-stats target=vcpu 'vcpus={}'
	expect_no_verb "type for 'providers\[0\]', expected: object" ctl stats query-stats target=vm 'providers=[1]'
	expect_no_verb "'providers\[0\].provider' does not accept value 'y'" ctl stats query-stats target=vm \
		'providers=[{"provider":"y"}]'
	expect_no_verb "'provider' does not accept value 'tcg'" ctl stats query-stats-schemas provider=tcg
	expect_verb '"name": "memory-size"' ctl stats query-stats target=vm 'providers=[{"provider":"armlet"}]'
	expect_verb '^stats$' kill stats
	finish
}

# pid_of NAME: of a machine in the background.
pid_of() { "$ARMLET" ps | sed -n "s/^$1  *\([0-9]*\) .*/\1/p"; }

# in_json PATTERN
in_json() { grep -q -e "$1" verb.out || fail "'$1' is not in $(cat verb.out)"; }

describe top_once "top --once and --json of a machine that works, a paused one and one that does not answer" 60
test_top_once() {
	need_background
	expect_verb '^NAME  *STATUS  *CPUS' top --once --delay 1
	[ "$(wc -l <verb.out)" -eq 1 ] || fail "nothing runs: $(cat verb.out)"
	background busy -m 64 -c 2 -k "$(payload_path idle)" -a 'seconds=1000 reads=1000000000'
	background calm -m 64 -k "$(payload_path idle)" -a seconds=1000
	background stuck -m 64 -k "$(payload_path idle)" -a seconds=1000
	stuck=$(pid_of stuck)
	kill -STOP "$stuck"
	on_exit "kill -CONT $stuck 2>/dev/null"
	expect_verb '^calm$' pause calm
	begin=$(uptime_seconds)
	expect_verb '^busy  *running  *2  *[1-9][0-9]*  *[0-9.]*[0-9K]  *0  *0  *0  *0  *[0-9.]*[0-9M]/64M$' top --once -d 1
	expect_at_most $(($(uptime_seconds) - begin)) $((6 * slowness)) "seconds"
	grep -q '^calm  *paused  *1  *0  *0 ' verb.out && grep -q '^stuck  *no answer$' verb.out || fail "$(cat verb.out)"
	[ "$(wc -l <verb.out)" -eq 4 ] || fail "four lines are not $(cat verb.out)"
	expect_verb '^{"time":[0-9]*,"machines":\[{.*}\]}$' top --once --json -d 2
	[ "$(wc -l <verb.out)" -eq 1 ] || fail "that is more than a line: $(cat verb.out)"
	in_json '{"name":"stuck","status":"no answer"}'
	in_json '{"name":"calm","status":"paused","seconds":[0-9.]*,"cpu-percent":[0-9.]*,'
	in_json '{"name":"busy","status":"running","seconds":[2-9]'
	in_json '"exits-by-reason":{[^}]*"MMIO":[1-9][0-9]*\.'
	in_json '"disks":\[\],"networks":\[\],"memory":{"size":67108864,"actual":67108864,"resident":[1-9]'
	kill -CONT "$stuck"
	expect_verb '^stuck  *running ' top stuck --once -d 1
	[ "$(wc -l <verb.out)" -eq 2 ] || fail "nobody else was asked for: $(cat verb.out)"
	# Line by line, until nobody reads.
	"$ARMLET" top --json -d 1 stuck busy | head -n 3 >lines
	[ "$(grep -c '^{"time":.*"stuck".*"busy".*}$' lines)" -eq 3 ] || fail "$(cat lines)"
	"$ARMLET" top --json -d 1 calm >lines &
	top=$!
	wait_until 20 grep -q '"paused"' lines || fail "no line came: $(cat lines)"
	expect_verb '^calm$' kill calm
	wait_until 20 grep -q '{"name":"calm","status":"ended"}' lines || fail "its end is not told: $(cat lines)"
	kill "$top"
	expect_no_verb "no machine 'calm' runs" top --once calm busy
}

describe top_screen "top on a terminal: the list, one machine, sizes; and the terminal is as before, whatever ends it" 90
test_top_screen() {
	need_background
	[ -e /lib/terminfo/v/vt100 ] || lay "${ARMLET_HELPERS:-}"
	[ -e /lib/terminfo/v/vt100 ] || skip "the host knows no terminals"
	background first -m 64 -c 2 -k "$(payload_path idle)" -a 'seconds=1000 reads=1000000000'
	background second -m 64 -k "$(payload_path idle)" -a seconds=1000
	export TERM=vt100
	terminal "$ARMLET" top -d 1 <<-'END'
		size 80 24
		expect armlet top: 2 machines, every 1 s, by name
		raw
		expect NAME
		expect first
		expect second
		expect q ends
		expect M/64M
		send \r
		expect first: running, CPU
		expect VCPU
		expect BY REASON
		expect MMIO
		send q
		expect armlet top: 2 machines
		send >
		expect CPU
		send j\r
		expect second: running
		size 120 30
		expect second: running
		expect VCPU
		size 10 3
		sleep 300
		size 80 24
		expect second: running
		send q
		expect every
		send \x1bOA\x1bOP\x1b[24~\r
		expect first: running
		send \x1b
		expect every
		send \x1bOD\x1bOD
		expect by memory
		send q
		status 0
		restored
	END
	for signal in TERM:143 INT:130 HUP:129 QUIT:131 KILL:137; do
		terminal "$ARMLET" top <<-END
			expect armlet top
			expect q ends
			raw
			kill ${signal%:*}
			status ${signal#*:}
			restored
		END
	done
	terminal "$ARMLET" top <<-'END'
		expect q ends
		raw
		kill STOP
		sleep 300
		foreground
		expect armlet top: 2 machines
		raw
		send \x1a
		restored
		foreground
		expect armlet top: 2 machines
		raw
		send \x03
		status 130
		restored
	END
	# The guardian of one that is killed leaves its screen as well.
	TERM=xterm terminal "$ARMLET" top <<-'END'
		expect [?1049h
		expect armlet top
		kill KILL
		expect [?1049l
		restored
	END
}

describe top_changes "top follows machines that come, go, and do not answer" 60
test_top_changes() {
	need_background
	[ -e /lib/terminfo/v/vt100 ] || lay "${ARMLET_HELPERS:-}"
	[ -e /lib/terminfo/v/vt100 ] || skip "the host knows no terminals"
	export TERM=vt100
	{
		sleep 3
		"$ARMLET" run --detach --name late -m 64 -k "$(payload_path idle)" -a seconds=1000
		sleep 6
		late=$(pid_of late)
		kill -STOP "$late"
		sleep 10
		kill -CONT "$late"
		sleep 5
		"$ARMLET" kill late
	} >changes 2>&1 &
	changes=$!
	terminal "$ARMLET" top -d 1 <<-'END'
		expect no machine with a name runs
		expect late
		expect running
		expect M/64M
		expect no answer
		expect running
		expect no machine with a name runs
		send q
		status 0
		restored
	END
	wait "$changes"
	background named -m 64 -k "$(payload_path idle)" -a seconds=1000
	{ sleep 3; "$ARMLET" kill named; } >changes 2>&1 &
	changes=$!
	terminal "$ARMLET" top -d 1 named <<-'END'
		expect running
		send \r
		expect VCPU
		expect ended
		send q
		expect every
		send q
		status 0
		restored
	END
	wait "$changes"
}

describe bad_top "no terminal, one that is not known, machines that are not there"
test_bad_top() {
	need_background
	expect_no_verb 'standard input and output are no terminal; print one table with --once' top
	expect_no_verb "no machine 'nobody' runs" top --once nobody
	expect_no_verb "'a/b' is no name for a machine" top --once a/b
	expect_no_verb "--delay: '0' is not a number from 1 to 3600" top --once --delay 0
	for row in 'TERM does not say which terminal this is:' "TERM says 'none-such', of which this host:none-such"; do
		TERM=${row#*:} terminal "$ARMLET" top <<-END
			expect ${row%:*}
			status 125
			restored
		END
	done
}
