# SPDX-License-Identifier: Apache-2.0
# Machines that are kept, and started by their names.
# shellcheck shell=sh

need_kept() {
	need_background
	on_exit 'rm -rf /etc/armlet'
}

describe kept_life "create, ls, start, restart, stop, rm: from the folder where it was made"
test_kept_life() {
	need_kept
	expect_verb '^NAME  *STATUS' ls
	mkdir here
	cp "$(payload_path idle)" here/kernel
	truncate -s 1M here/disk
	(cd here && "$ARMLET" create web -c 2 -m 64M -a seconds=1000 -d disk,ro kernel >../created) ||
		fail "it cannot be created"
	[ "$(cat created)" = web ] || fail "create says $(cat created)"
	expect_verb '^web  *created  *2  *64M  *kernel' ls
	expect_verb '"file": "/etc/armlet/web.json"' ls --json
	expect_verb '^web$' ls -q
	expect_verb '^web$' start web
	expect_verb '^web  *running' ls
	expect_verb '^web ' ps
	expect_verb '"directory": ".*/here"' inspect web
	wait_for_log web 'idle begins'
	pid=$(cat /run/armlet/web/lock)
	expect_verb '^web$' restart -t 1 web
	[ "$(cat /run/armlet/web/lock)" != "$pid" ] || fail "it is the same process"
	wait_until 30 begun_again || fail "$(cat verb.out)"
	verb start web
	[ "$STATUS" -eq 125 ] && grep -q "a machine 'web' runs already" verb.err || fail "$(cat verb.err)"
	expect_no_verb 'web runs; .armlet stop web. first, or end it with --force' rm web
	expect_verb '^web$' stop -t 0 web
	expect_verb '^web  *ended (0)' ls
	expect_verb '^web$' restart web
	expect_verb '^web$' rm -f web
	[ ! -e /etc/armlet/web.json ] && [ ! -e /var/log/armlet/web ] && [ ! -e /run/armlet/web ] ||
		fail "something of it is left"
	expect_no_verb "no machine 'web' is kept; .armlet ls. lists them" rm web
}

begun_again() { verb logs web && [ "$(grep -c 'idle begins' verb.out)" -eq 2 ]; }

describe kept_config "a definition is a configuration: run --config takes it, and an editor may change it"
test_kept_config() {
	need_kept
	expect_verb '^one$' create one -k "$(payload_path null)"
	armlet run --config /etc/armlet/one.json
	expect_status 0
	expect_silence
	echo '{"cpus": 0}' >/etc/armlet/one.json
	verb start one
	[ "$STATUS" -eq 125 ] || fail "status $STATUS"
	grep -q -- '--config /etc/armlet/one.json: cpus: 0 is not a number from 1 to 512' verb.err || fail "$(cat verb.err)"
	expect_verb '^one  *created  *0' ls
	echo '{' >/etc/armlet/one.json
	expect_verb '^one  *created  *-' ls
	expect_verb '^one$' rm one
}

describe bad_kept "machines that are kept already, or not, names that are none, a full disk"
test_bad_kept() {
	need_kept
	expect_verb '^one$' create one kernel
	expect_no_verb "a machine 'one' is kept already, in /etc/armlet/one.json; .armlet rm one. removes it" \
		create one other
	expect_verb '"kernel": "kernel"' ls --json
	expect_no_verb 'name the machine: armlet create NAME' create
	expect_no_verb 'name the machine: armlet create NAME' create --cpus 2
	expect_no_verb "'a/b' is no name for a machine" create a/b kernel
	expect_no_verb "--cpus: '0' is not a number from 1 to 512" create two --cpus 0
	expect_no_verb '--detach and --dry-run are for armlet run' create two --detach kernel
	expect_no_verb '--directory none: No such file' create two --directory none kernel
	expect_no_verb "no machine 'two' is kept; .armlet create. does that" start two
	expect_no_verb "no machine 'two' is kept" restart two
	expect_no_verb "no machine 'two' is kept" rm two
	expect_no_verb '--directory none: No such file' run --directory none kernel
	expect_no_verb 'name a machine: armlet rm NAME; .armlet ls. lists them' rm
	verb start one
	[ "$STATUS" -eq 125 ] && grep -q "kernel 'kernel' cannot be opened" verb.err &&
		grep -q 'armlet start: one was not started' verb.err || fail "$(cat verb.err)"
	rm -rf /etc/armlet
	mkdir /etc/armlet
	mount -t tmpfs -o size=4k tmp /etc/armlet
	on_exit 'umount /etc/armlet'
	head -c 4096 /dev/zero >/etc/armlet/full
	expect_no_verb '/etc/armlet/full.json: No space left on device' create full kernel
	[ "$(ls -A /etc/armlet)" = full ] || fail "half a definition is left: $(ls -A /etc/armlet)"
}
