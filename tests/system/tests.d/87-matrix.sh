# SPDX-License-Identifier: Apache-2.0
# armlet test --matrix: many tests, and what is left of them.
# shellcheck shell=sh

# What makes a boot of the emulated host's guests quick.
quick='cryptomgr.notests kpti=off'

# guests_here: the guests' folders, as examples/matrix.json names them.
guests_here() {
	for guest in 6.1 6.12; do
		need_guest $guest
		ln -sfn "$ARMLET_GUESTS/$guest" "$guest"
	done
	guest=6.1
}

# quick_kernel: the options of a kernel that boots quickly, as JSON.
quick_kernel() {
	echo "\"kernel\": \"$1/Image\", \"initrd\": \"$1/initrd.cpio\", \"append\": \"$quick\", \"mem\": \"128M\""
}

# expect_ended STATUS NAME VERDICT: what summary.json has of a test.
expect_ended() {
	sed -n "\\,\"name\": *\"$2\",,/}/p" out.d/summary.json >row
	{ grep -q "\"status\": *$1,*\$" row && grep -q "\"verdict\": *\"$3\"" row; } ||
		fail "of $2 there is: $(cat row)"
}

# tests_now: the processes that are a matrix's tests.
tests_now() { grep -ls '[-]-output=out\.d' /proc/[0-9]*/cmdline; }

nobody() { ! tests_now >left; }

expect_nobody() {
	nobody || fail "processes are left: $(cat left)"
}

describe trial_matrix "armlet test --matrix: two kernels, machines and commands; a failure and a panic are told" 240
test_trial_matrix() {
	guests_here
	cat >matrix.json <<-END
		{
			"common": {"env": ["ALL=1"], "timeout": 120},
			"kernels": {
				"6.1": {$(quick_kernel 6.1), "env": ["K=old"]},
				"6.12": {$(quick_kernel 6.12), "env": ["K=new"]}
			},
			"machines": {"small": {"env": ["M=small"]}, "smp": {"cpus": 2, "env": ["M=smp"]}},
			"commands": {
				"good": {"command": ["sh", "-c", "echo \$ALL \$K \$M; nproc; uname -r"]},
				"bad": {"command": ["sh", "-c", "case \$K.\$M in old.small) exit 7;; new.smp) echo c >/proc/sysrq-trigger;; esac"]}
			}
		}
	END
	armlet test --matrix matrix.json -j 2 -o out.d
	expect_status 1
	expect_silence
	expect_out '^ok 6\.1/small/good ([0-9.]* s)$' '^not ok 6\.1/small/bad: 7$' \
		'^not ok 6\.12/smp/bad: 255, the kernel panicked while the command ran: sysrq triggered crash' \
		'^8 tests: 6 ok, 2 not ok; [0-9.]* s; out.d/summary.json$'
	[ "$(wc -l <out)" -eq 9 ] || fail "there are $(wc -l <out) lines"
	expect_ended 0 6.1/smp/bad exited
	expect_ended 7 6.1/small/bad exited
	expect_ended 255 6.12/smp/bad panic
	head -n 2 out.d/6.12/smp/good/stdout >seen
	printf '1 new smp\n2\n' | cmp - seen || fail "it printed: $(cat out.d/6.12/smp/good/stdout)"
	grep -q 'Kernel panic' out.d/6.12/smp/bad/armlet.log || fail "armlet.log has no panic"
	{ [ "$(grep -c "<testcase " out.d/junit.xml)" -eq 8 ] && [ "$(grep -c '<failure ' out.d/junit.xml)" -eq 2 ]; } ||
		fail "junit.xml: $(cat out.d/junit.xml)"
	# What is left out, one way and the other.
	armlet test --matrix matrix.json -o out.d --only '6.1/*/good'
	expect_status 0
	expect_out '^2 tests: 2 ok'
	expect_nobody
}

describe trial_matrix_example "examples/matrix.json does what the manual tells" 180
test_trial_matrix_example() {
	guests_here
	example=$ARMLET_TESTS/../../examples/matrix.json
	[ -e "$example" ] || skip "there is no $example"
	armlet test --matrix "$example" -j 2
	expect_status 0
	expect_out '^6 tests: 6 ok, 0 not ok'
	expect_no_out '^ok 6.1/small/smp'
	[ -e armlet-matrix/summary.json ] || fail "there is no summary"
}

describe trial_matrix_retries "armlet test --matrix: what armlet failed at is tried again, and nothing else" 120
test_trial_matrix_retries() {
	guests_here
	cat >matrix.json <<-END
		{
			"kernels": {"gone": {"kernel": "nosuch/Image", "root": "none"}, "6.1": {$(quick_kernel 6.1)}},
			"commands": {"fails": {"command": ["false"]}}
		}
	END
	armlet test --matrix matrix.json -o out.d
	expect_status 1
	expect_out "^# gone/default/fails: 125, kernel 'nosuch/Image'.*; it is tried again$" \
		"^not ok gone/default/fails: 125, kernel 'nosuch/Image'" '^not ok 6.1/default/fails: 1$'
	[ "$(grep -c '^#' out)" -eq 1 ] || fail "it was not tried again once"
	expect_ended 125 gone/default/fails armlet
	grep -q '"tries": *2' row || fail "it does not say 2 tries"
	[ "$(wc -l <out.d/gone/default/fails/armlet.log)" -eq 2 ] || fail "armlet.log has not both tries"
	expect_ended 1 6.1/default/fails exited
	grep -q '"tries": *1' row || fail "a failure was tried again"
	armlet test --matrix matrix.json -o out.d --only 'gone*' --retries 0
	expect_status 1
	expect_no_out '^#'
	# A result of the run before is none of this one's.
	expect_ended 125 gone/default/fails armlet
}

describe trial_matrix_interrupted "armlet test --matrix: a signal ends all that runs, and what was known is kept" 120
test_trial_matrix_interrupted() {
	guests_here
	cat >matrix.json <<-END
		{
			"kernels": {"6.1": {$(quick_kernel 6.1)}},
			"commands": {
				"a": {"command": ["true"]},
				"b": {"command": ["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1; done"]},
				"c": {"command": ["sleep", "1000"]},
				"d": {"command": ["true"]}
			}
		}
	END
	for number in INT TERM; do
		status=130
		[ $number = INT ] || status=143
		rm -rf out.d
		start test --matrix matrix.json -o out.d -j 2
		wait_for '^ok 6.1/default/a' 40
		wait_until 40 grep -qs ready out.d/6.1/default/b/stdout || fail "b has not begun"
		[ "$(tests_now | wc -l)" -eq 2 ] || fail "these run: $(tests_now)"
		kill -$number "$PID"
		finish
		expect_status "$status"
		expect_out '^4 tests: 1 ok, 2 not ok, 1 not run'
		expect_nobody
		expect_ended 0 6.1/default/a exited
		sed -n '/default\/d"/,/}/p' out.d/summary.json | grep -q '"status": *null' || fail "d is told to have ended"
	done
	# Whatever becomes of it, nobody stays.
	start test --matrix matrix.json -o out.d -j 2
	wait_until 40 grep -qs ready out.d/6.1/default/b/stdout || fail "b has not begun"
	kill -KILL "$PID"
	finish
	wait_until 5 nobody || fail "processes are left: $(cat left)"
}

matrix_files() { find "/proc/$1/fd" -type l 2>/dev/null | wc -l; }

describe trial_matrix_many "armlet test --matrix: 64 quick tests, two at a time, leave nothing behind" 600
test_trial_matrix_many() {
	guests_here
	{
		echo "{\"kernels\": {\"6.1\": {$(quick_kernel 6.1)}}, \"commands\": {"
		i=1
		while [ $i -lt 64 ]; do
			echo "\"true-$i\": {\"command\": [\"true\"]},"
			i=$((i + 1))
		done
		echo '"true-64": {"command": ["true"]}}}'
	} >matrix.json
	start test --matrix matrix.json -o out.d -j 2
	wait_for '^ok' 60
	before=$(matrix_files "$PID")
	until gone "$PID"; do
		now=$(matrix_files "$PID")
		[ "$now" -le $((before + 1)) ] || fail "$now descriptors, after $before"
		now=$(tests_now | wc -l)
		[ "$now" -le 2 ] || fail "$now tests at a time"
		sleep 1
	done
	finish 1
	expect_status 0
	expect_out '^64 tests: 64 ok, 0 not ok'
	[ "$(grep -c '^ok' out)" -eq 64 ] || fail "not each was told"
	[ "$(find out.d -name result.json | wc -l)" -eq 64 ] || fail "results are missing"
	expect_nobody
}

describe trial_matrix_shard "armlet test --shard: parts are each other's rest, by former times if there are some" 120
test_trial_matrix_shard() {
	guests_here
	cat >matrix.json <<-END
		{
			"kernels": {"6.1": {$(quick_kernel 6.1)}},
			"commands": {"a": {"command": ["true"]}, "b": {"command": ["true"]}, "c": {"command": ["true"]}}
		}
	END
	for part in 1/2 2/2; do
		armlet test --matrix matrix.json -o out.d --shard $part
		expect_status 0
		grep '^ok' out | cut -d' ' -f2 >>all
	done
	[ "$(cat out.d/summary-1-of-2.json out.d/summary-2-of-2.json | grep -c '"name"')" -eq 3 ] || fail "not all are told"
	printf '6.1/default/%s\n' a b c >wanted
	sort all | cmp -s - wanted || fail "they ran: $(cat all)"
	echo '{"tests": [{"name": "6.1/default/b", "seconds": 100}, {"name": "6.1/default/a", "seconds": 1},
		{"name": "6.1/default/c", "seconds": 1.5}]}' >times.json
	armlet test --matrix matrix.json -o out.d --shard 1/2 --durations times.json
	expect_out '^ok 6.1/default/b' '^1 tests'
	mv times.json out.d/summary.json
	armlet test --matrix matrix.json -o out.d --shard 2/2
	expect_out '^ok 6.1/default/a' '^ok 6.1/default/c' '^2 tests'
	# A part may be empty.
	armlet test --matrix matrix.json -o out.d --shard 4/4
	expect_status 0
	expect_out '^0 tests'
}

describe trial_matrix_terminal "armlet test --matrix: on a terminal a table, and the terminal comes back" 120
test_trial_matrix_terminal() {
	guests_here
	cat >matrix.json <<-END
		{
			"kernels": {"6.1": {$(quick_kernel 6.1)}},
			"commands": {"fails": {"command": ["false"]}, "sleeps": {"command": ["sleep", "1000"]}}
		}
	END
	cat >steps <<-'END'
		raw
		expect  s  6.1/default/fails
		expect 0 of 2: 0 ok, 0 not ok; 2 running;
		expect not ok 6.1/default/fails: 1
		expect 1 of 2: 0 ok, 1 not ok; 1 running;
		size 20 10
		expect 1 of 2: 0 ok, 1 no
		kill INT
		expect 2 tests: 0 ok, 2 not ok
		restored
		status 130
	END
	TERM=xterm "$ARMLET_TOOLS/pty" "$ARMLET" test --matrix matrix.json -o out.d -j 2 <steps >out 2>err ||
		fail "the conversation went wrong"
	grep -q "$(printf '\033')\[?25h" out || fail "the cursor is hidden"
	expect_nobody
}

describe bad_trial_matrix "armlet test --matrix: what it refuses, in one sentence each"
test_bad_trial_matrix() {
	bad() {
		wanted=$1
		shift
		armlet test "$@"
		expect_refusal "$wanted"
		[ ! -e armlet-matrix ] || fail "something was begun"
	}
	echo '{"kernels": {"k": {}}, "commands": {"c": {}}}' >good.json
	bad_text() {
		printf '%s' "$2" >bad.json
		bad "$1" --matrix bad.json
	}
	bad "^armlet test: --matrix '/nosuch': " --matrix /nosuch
	bad "the commands stand in 'good.json', and none behind --" --matrix good.json -- true
	bad "^armlet test: --kernel: with --matrix this stands in 'good.json'" --matrix good.json -k Image
	bad '^armlet test: --jobs: this is for many tests, and needs --matrix' -j 2 -- true
	bad '^armlet test: --shard: ' --shard 1/2
	bad "--shard: '3/2' is no part" --matrix good.json --shard 3/2
	bad '--durations: these are for --shard' --matrix good.json --durations x
	bad "--durations '/nosuch': " --matrix good.json --durations /nosuch --shard 1/2
	bad 'this is no summary.json' --matrix good.json --durations good.json --shard 1/2
	bad "--only 'x.': no test's name is like this; the first one is 'k/default/c'" --matrix good.json --only 'x*'
	: >empty.toml
	have python3 || bad "empty.toml': TOML is read by python3, which is not installed: apt install python3" --matrix empty.toml
	bad '--output /proc/nosuch: ' --matrix good.json -o /proc/nosuch
	bad_text 'bad.json: this is no JSON: .* in line 1' '{"kernels": '
	bad_text "bad.json: there is no field 'kernel'; did you mean 'kernels'?" '{"kernel": {}}'
	bad_text "kernels.k.mme: there is no option 'mme'; did you mean 'mem'?" '{"kernels": {"k": {"mme": 1}}, "commands": {"c": {}}}'
	bad_text "k/default/c: --mem: 'x' is not a size" '{"kernels": {"k": {"mem": "x"}}, "commands": {"c": {}}}'
	bad_text "exclude\[0\]: there is no kernel 'j'; did you mean 'k'?" \
		'{"kernels": {"k": {}}, "commands": {"c": {}}, "exclude": [{"kernel": "j"}]}'
	bad_text 'exclude: it leaves no test' '{"kernels": {"k": {}}, "commands": {"c": {}}, "exclude": [{"kernel": "k"}]}'
}
