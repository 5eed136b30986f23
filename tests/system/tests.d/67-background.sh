# SPDX-License-Identifier: Apache-2.0
# Machines in the background, their consoles and logs.
# shellcheck shell=sh

# Only in an emulated host are these folders ours to fill and to empty.
need_background() {
	emulated && [ "$(id -u)" -eq 0 ] || skip "the folders of this host's machines are not to be touched"
	on_exit "for name in \$('$ARMLET' ps -q); do '$ARMLET' kill \$name; done; rm -rf /var/log/armlet"
}

# background NAME ARGUMENT...: the machine runs then.
background() {
	name=$1
	shift
	expect_verb "^$name\$" run --detach --name "$name" "$@"
}

# logs_have NAME PATTERN
logs_have() {
	verb logs "$1"
	grep -q -e "$2" verb.out
}

wait_for_log() { wait_until 30 logs_have "$1" "$2" || fail "the log of $1 lacks $2: $(cat verb.out)"; }

describe background_life "run --detach, logs, kill, wait: it outlives who started it, and is remembered"
test_background_life() {
	need_background
	setsid sh -c '"$1" run --detach --name bg -k "$2" -a seconds=1000 >out; echo $? >status' \
		sh "$ARMLET" "$(payload_path idle)"
	[ "$(cat status)" = 0 ] && [ "$(cat out)" = bg ] || fail "it was not started: $(cat status out)"
	wait_for_log bg 'idle begins'
	expect_verb '^bg  *[0-9]*  *running' ps
	pid=$("$ARMLET" ps | sed -n 's/^bg  *\([0-9]*\) .*/\1/p')
	for fd in 0 1; do
		[ "$(readlink "/proc/$pid/fd/$fd")" = /dev/null ] || fail "it has our descriptor $fd"
	done
	[ "$(readlink "/proc/$pid/fd/2")" = /var/log/armlet/bg/messages.log ] || fail "it has our standard error"
	"$ARMLET" logs -f bg >followed &
	follower=$!
	"$ARMLET" wait bg >waited &
	waiter=$!
	expect_no_verb "a machine 'bg' runs already" run --detach --name bg -k "$(payload_path null)"
	expect_verb '^bg$' kill bg
	wait "$follower" || fail "logs -f ends with $?"
	wait "$waiter" || fail "wait ends with $?"
	grep -q 'idle begins' followed || fail "nobody followed: $(cat followed)"
	[ "$(cat waited)" = 0 ] || fail "wait says $(cat waited)"
	expect_verb 'idle begins' logs bg
	expect_verb '^0$' wait bg
	background ends -k "$(payload_path reset)" --no-reboot -a 'panic'
	wait_until 20 no_machine ends || fail "it does not end"
	expect_verb '^[0-9]*$' wait ends
	# The next of that name writes behind what is there.
	background bg -k "$(payload_path idle)" -a seconds=1000
	wait_until 30 begun_twice || fail "$(cat verb.out)"
	expect_verb 'idle begins' logs --tail 1 bg
	[ "$(wc -l <verb.out)" -eq 1 ] || fail "that is more than a line: $(cat verb.out)"
	expect_verb '^bg$' kill bg
}

no_machine() { ! "$ARMLET" ps -q | grep -qx "$1"; }
begun_twice() { verb logs bg && [ "$(grep -c 'idle begins' verb.out)" -eq 2 ]; }

describe background_linux "a Linux guest: console by pipe and on a terminal, left and found again; stop" 90
test_background_linux() {
	need_background
	need_guest "$guest"
	guest_runs 'echo ready; while read -r line; do echo "heard <$line>"; done'
	background vm -i initrd -m 256 -a "$words" -k "$(kernel "$guest")"
	wait_for_log vm '^ready'
	"$ARMLET" console vm </dev/null >piped &
	watcher=$!
	{ echo "by pipe"; sleep 2; } | timeout $((20 * slowness)) "$ARMLET" console vm >/dev/null &
	wait_for_log vm 'heard <by pipe>'
	terminal "$ARMLET" console vm <<-'END'
		expect heard <by pipe>
		raw
		send typed\r
		expect heard <typed>
		send \x01h
		expect leave the console
		send \x01d
		expect the machine goes on
		status 0
		restored
	END
	terminal "$ARMLET" console vm <<-'END'
		expect heard <typed>
		send again\r
		expect heard <again>
		send \x01p
		expect power key
		status 0
		restored
	END
	wait "$watcher" || fail "a console with no input ends with $?"
	tr -d '\r' <piped | grep -q 'heard <again>' || fail "who is attached without input saw not all"
	expect_verb '^0$' wait vm
	expect_verb 'power key' logs vm
	verb logs --messages vm
	[ "$STATUS" -eq 0 ] && [ ! -s verb.out ] && [ ! -s verb.err ] || fail "$(cat verb.out verb.err)"
}

describe background_flood "a reader that does not read is dropped, and the guest goes on" 60
test_background_flood() {
	need_background
	mkfifo never
	background flood -m 16 -k "$(payload_path printer)" -a lines=10000
	"$ARMLET_TOOLS/sock" connect unix:/run/armlet/flood/console <never >/dev/null 2>&1 &
	reader=$!
	exec 6>never
	kill -STOP $reader
	wait_until 60 no_machine flood || fail "it waits for a reader"
	kill -CONT $reader
	exec 6>&-
	expect_verb '^0$' wait flood
	expect_verb 'printer ends' logs --tail 2 flood
	[ "$(stat -c %s /var/log/armlet/flood/console.log)" -gt 640000 ] || fail "the log lacks something"
}

describe background_full "a full disk for the log stops no guest" 60
test_background_full() {
	need_background
	mkdir -p /var/log/armlet
	mount -t tmpfs -o size=64k,mode=700 tmp /var/log/armlet
	on_exit 'umount /var/log/armlet'
	background full -m 16 -k "$(payload_path printer)" -a lines=4000
	wait_until 60 no_machine full || fail "it waits for the disk"
	expect_verb 'printer begins' logs full
}

describe background_hundred "100 machines on one host: all are started, listed and ended" 60
test_background_hundred() {
	need_background
	begin=$(uptime_seconds)
	for i in $(seq 100); do
		"$ARMLET" run --detach --name "m$i" -m 16 -k "$(payload_path idle)" -a seconds=1000 >>names || fail "m$i"
	done
	say "started in $(($(uptime_seconds) - begin)) s"
	expect_verb ' running ' ps
	[ "$(grep -c ' running ' verb.out)" -eq 100 ] || fail "$(cat verb.out)"
	"$ARMLET" ps -q | sort >listed
	sort names >started
	expect_same listed started
	# shellcheck disable=SC2046 # a name each
	expect_verb '^m100$' kill $(cat listed)
	[ "$(wc -l <verb.out)" -eq 100 ] || fail "not all were ended"
	[ -z "$(ls /run/armlet)" ] || fail "something is left: $(ls /run/armlet)"
}

describe bad_background "what cannot go into the background, consoles and logs that are not there"
test_bad_background() {
	need_background
	expect_no_verb '--detach: the machine needs a --name' run --detach -k "$(payload_path null)"
	expect_no_verb "kernel 'none' cannot be opened: No such file" run --detach --name x -k none
	[ ! -e /run/armlet/x ] || fail "its folder is still there"
	expect_no_verb '--api: unix:none/x cannot be made' run --detach --name x -k "$(payload_path null)" --api none/x
	expect_no_verb "no machine 'x' runs" console x
	expect_no_verb 'name one machine: armlet console NAME' console
	expect_no_verb 'name one machine: armlet console NAME' console x y
	expect_no_verb "nothing is kept of a machine 'nobody'" logs nobody
	expect_no_verb "'..' is no name for a machine" logs ..
	expect_no_verb 'name a machine: armlet logs NAME' logs
	expect_no_verb "--tail: '0' is not a number" logs --tail 0 x
	begin front
	expect_no_verb 'front runs in the foreground, where its console is' console front
	expect_verb '^front$' kill front
	finish
	mkdir -p /var/log
	rm -rf /var/log/armlet
	: >/var/log/armlet
	expect_no_verb '--detach: /var/log/armlet' run --detach --name x -k "$(payload_path null)"
	rm /var/log/armlet
}
