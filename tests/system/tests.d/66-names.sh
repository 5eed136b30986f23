# SPDX-License-Identifier: Apache-2.0
# Machines with names, and the commands that act on them.
# shellcheck shell=sh

# place NAME: its folder.
place() {
	if [ "$(id -u)" -eq 0 ]; then
		echo "/run/armlet/$1"
	else
		echo "${XDG_RUNTIME_DIR:-/run/user/$(id -u)}/armlet/$1"
	fi
}

# begin NAME ARGUMENT...: a machine of that name whose guest runs.
begin() {
	name=$1
	shift
	start run --name "$name" -k "$(payload_path idle)" -a seconds=100 "$@"
	wait_for 'idle begins'
}

# verb WORD...: armlet with them, beside the machine: out and err are its own.
verb() {
	STATUS=0
	"$ARMLET" "$@" >verb.out 2>verb.err </dev/null || STATUS=$?
}

# expect_verb PATTERN WORD...: succeeds, and says that.
expect_verb() {
	pattern=$1
	shift
	verb "$@"
	[ "$STATUS" -eq 0 ] && [ ! -s verb.err ] || fail "armlet $*: status $STATUS, $(cat verb.err)"
	grep -q -e "$pattern" verb.out || fail "armlet $*: $(cat verb.out), not $pattern"
}

# expect_no_verb PATTERN WORD...: fails with that sentence alone.
expect_no_verb() {
	pattern=$1
	shift
	verb "$@"
	[ "$STATUS" -eq 125 ] || fail "armlet $*: status $STATUS"
	[ ! -s verb.out ] && [ "$(wc -l <verb.err)" -eq 1 ] || fail "armlet $*: $(cat verb.out verb.err)"
	grep -q -e "$pattern" verb.err || fail "armlet $*: $(cat verb.err), not $pattern"
	say "$(cat verb.err)"
}

describe names_life "ps, inspect, ctl, pause, resume, events and wait of a machine, until it is killed"
test_names_life() {
	expect_verb '^NAME  *PID ' ps
	begin web.1 -c 2 -m 64M
	expect_verb "^web.1  *$PID  *running  .* 2  *64M  .*idle.bin" ps
	[ "$(stat -c %a "$(place web.1)")" = 700 ] || fail "others may enter its folder"
	expect_verb '"name": "web.1"' ps --json
	expect_verb '"cpus": 2' inspect web.1
	expect_verb "\"pid\": $PID" inspect web.1
	"$ARMLET" events web.1 >events &
	events=$!
	"$ARMLET" wait web.1 >waited &
	waiter=$!
	# The listener's own, and one for each who is connected.
	wait_until 20 connected 3 "$(place web.1)/api" || fail "events and wait do not connect"
	expect_verb '^web.1$' pause web.1
	expect_verb '"status": "paused"' ctl web.1 query-status
	expect_verb ' paused ' ps
	expect_verb '^web.1$' resume web.1
	expect_verb '"running": true' ctl web.1 query-status
	wait_until 20 grep -q RESUME events || fail "nobody tells of it"
	verb kill web.1
	[ "$STATUS" -eq 0 ] && [ "$(cat verb.out)" = web.1 ] || fail "kill: $STATUS $(cat verb.err)"
	finish
	expect_status 0
	expect_silence
	wait "$events" || fail "events ends with $?"
	wait "$waiter" || fail "wait ends with $?"
	grep -q '"event": "STOP"' events && grep -q '"reason": "host-qmp-quit"' events || fail "$(cat events)"
	[ "$(cat waited)" = 0 ] || fail "wait says $(cat waited)"
	[ ! -e "$(place web.1)" ] || fail "its folder is still there"
	expect_no_verb "no machine 'web.1' runs" inspect web.1
}

connected() { [ "$(grep -c " $2\$" /proc/net/unix)" -ge "$1" ]; }

describe names_stop "stop presses the power key, and ends a guest that does not listen" 60
test_names_stop() {
	need_guest "$guest"
	guest_runs 'echo ready; sleep 100'
	start_linux --name linux
	wait_for '^ready' 60
	expect_verb '^linux$' pause linux
	expect_verb '^linux$' stop --time 60 linux
	finish
	expect_status 0
	expect_out 'guest: power key'
	begin deaf
	expect_verb '^deaf$' stop -t 1 deaf
	finish
	expect_status 0
	expect_no_out 'idle ends'
}

describe names_once "a name is one machine's; what a killed one leaves is cleared away"
test_names_once() {
	begin one
	armlet run --name one -k "$(payload_path null)"
	expect_refusal "--name: a machine 'one' runs already, as process $PID; .armlet stop one. ends it"
	kill -KILL "$PID"
	finish
	expect_status 137
	[ -e "$(place one)/lock" ] || fail "it took its folder with it"
	expect_verb '^NAME' ps
	[ ! -e "$(place one)" ] || fail "ps leaves what is dead"
	begin one
	kill -KILL "$PID"
	finish
	armlet run --name one -k "$(payload_path null)"
	expect_status 0
	[ ! -e "$(place one)" ] || fail "its folder is still there"
	# Of two that start at once one wins, and the other says so.
	count=0
	for i in 1 2 3 4; do
		"$ARMLET" run --name race -k "$(payload_path idle)" -a seconds=100 >"out.$i" 2>"err.$i" &
	done
	wait_until 30 losers_are 3 || fail "$(cat err.1 err.2 err.3 err.4)"
	expect_verb '^race$' kill race
	wait
}

losers_are() { [ "$(cat err.? | grep -c "a machine 'race' runs already")" -eq "$1" ]; }

describe names_api "a machine with a name may have its control socket elsewhere"
test_names_api() {
	begin other --api socket
	expect_verb '"status": "running"' ctl other query-status
	[ -S socket ] || fail "there is no socket"
	expect_verb '^other$' kill other
	finish
	expect_status 0
	[ ! -e socket ] || fail "its socket is still there"
}

describe names_ctl "ctl: values by their types, answers, and what the machine refuses"
test_names_ctl() {
	need_guest "$guest"
	guest_runs 'echo ready; while :; do sleep 1; done'
	start_linux --name vm --balloon
	wait_for '^ready'
	expect_verb '"actual": 268435456' ctl vm query-balloon
	verb ctl vm balloon value=200M
	[ "$STATUS" -eq 0 ] && [ ! -s verb.out ] && [ ! -s verb.err ] || fail "$(cat verb.out verb.err)"
	wait_until 20 actual_is 209715200 || fail "$(cat verb.out)"
	expect_no_verb "there is no command 'baloon'; did you mean 'balloon'?" ctl vm baloon
	expect_no_verb "balloon has no argument 'size'" ctl vm balloon size=1
	expect_no_verb "value: '1Q' is not a number" ctl vm balloon value=1Q
	expect_no_verb 'value needs a value' ctl vm balloon value
	expect_no_verb "Parameter 'value' is out of range" ctl vm balloon value=-1
	expect_no_verb "Parameter 'value' is missing" ctl vm balloon
	expect_no_verb 'name a machine and a command' ctl vm
	expect_no_verb 'name a machine and a command' ctl
	expect_verb 'query-status  *whether the machine runs' ctl --help
	expect_verb 'value=int' ctl --help
	expect_verb '^vm$' kill vm
	finish
}

actual_is() {
	verb ctl vm query-balloon
	grep -q "\"actual\": $1" verb.out
}

describe names_user "a user who is not root has places of his own"
test_names_user() {
	need_root
	emulated || skip "the permissions of this host's /dev/kvm are not to be touched"
	mkdir -m 700 run state
	chown 65534 run state
	export XDG_RUNTIME_DIR="$DIR/run" XDG_STATE_HOME="$DIR/state"
	mode=$(stat -c %a /dev/kvm)
	on_exit "chmod $mode /dev/kvm"
	chmod 666 /dev/kvm
	payload=$(for_others "$(payload_path idle)")
	unprivileged run --detach --name mine -k "$payload" -a seconds=1000
	expect_status 0
	expect_out '^mine$'
	unprivileged ps
	expect_out '^mine  *[0-9]* *running'
	[ -S run/armlet/mine/api ] && [ -e state/armlet/mine/console.log ] || fail "$(find run state)"
	expect_verb '^NAME' ps
	! grep -q mine verb.out || fail "it is among those of root"
	unprivileged kill mine
	expect_out '^mine$'
	unprivileged wait mine
	expect_out '^0$'
	[ ! -e run/armlet/mine ] || fail "its folder is still there"
}

describe bad_name "names that are none, machines that are not there, folders that are not ours"
test_bad_name() {
	need_root
	long=$(printf '%065d' 0)
	for name in '' . .. -x a/b 'a b' "$long" é; do
		refused -- "--name: '.*' is no name for a machine" -k "$(payload_path null)" --name="$name"
	done
	for command in stop kill pause resume wait events inspect "ctl"; do
		words=query-status
		[ $command = ctl ] || words=
		expect_no_verb "no machine 'nobody' runs; .armlet ps. lists" $command nobody $words
		expect_no_verb "'a/b' is no name for a machine" $command a/b $words
		[ $command = ctl ] || expect_no_verb "name a machine: armlet $command NAME" $command
	done
	expect_no_verb "'x' is not an option, and .armlet ps. takes no more" ps x
	expect_no_verb "--time: '1h' is not a number" stop --time 1h x
	rm -rf /run/armlet
	mkdir -m 755 /run/armlet
	refused -- '--name: /run/armlet is not a folder that only you may enter' \
		-k "$(payload_path null)" --name x
	rm -rf /run/armlet
	ln -s "$PWD" /run/armlet
	refused -- '--name: /run/armlet is not a folder that only you may enter' \
		-k "$(payload_path null)" --name x
	rm -f /run/armlet
	unset XDG_RUNTIME_DIR
	unprivileged run -k "$(payload_path null)" --name x
	expect_refusal '/run/user/65534, where machines with names live (XDG_RUNTIME_DIR may name another folder)'
}
