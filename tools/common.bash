# SPDX-License-Identifier: Apache-2.0
# common.bash - what the tools share; sourced by them, never run.
#
# Everything the tools fetch or build is kept in one cache outside the
# checkout. An entry of it appears under its name only when it is complete:
# it is made under a temporary name, while a lock keeps a second maker
# waiting, and then renamed. So a broken download never counts as done, and
# what is there may be used without asking anybody.

# shellcheck shell=bash

# A failure inside $(...) is a failure, too.
shopt -s inherit_errexit

tool=${0##*/}

note() { printf '%s: %s\n' "$tool" "$*" >&2; }

# Failures of a tool itself, unlike those of what it runs, have status 125.
die() {
	note "$*"
	exit 125
}

have() { command -v "$1" >/dev/null; }

# The cache; a new layout of it wants a new number.
cache_dir() {
	printf '%s/1\n' "${ARMLET_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/armlet}"
}

machine_arch() { uname -m | sed 's/^arm64$/aarch64/'; }

# stamp FILE|-...: a short name for the contents of files.
stamp() { cat -- "$@" | sha256sum | cut -c1-16; }

# once ENTRY COMMAND...: makes the cache entry ENTRY, unless it is there, by
# COMMAND... TEMPORARY, which fills the empty directory TEMPORARY.
once() {
	local entry=$1
	shift
	[ ! -e "$entry" ] || return 0
	mkdir -p "${entry%/*}"
	(
		flock 9
		[ ! -e "$entry" ] || exit 0
		# What a killed maker left; nobody else can be at it now.
		rm -rf "$entry".tmp.*
		temporary=$(mktemp -d "$entry.tmp.XXXXXX")
		trap 'rm -rf "$temporary"' EXIT
		trap 'exit 130' INT TERM HUP
		chmod 755 "$temporary"
		"$@" "$temporary"
		mv -T "$temporary" "$entry"
	) 9>"$entry.lock"
}

# quietly LOG COMMAND...: its output goes to LOG, and is shown if it fails, but
# for ninja's steps that went well.
quietly() {
	local log=$1
	shift
	mkdir -p "$(dirname -- "$log")"
	"$@" >"$log" 2>&1 || {
		sed '/^\[[0-9]*\/[0-9]*\] /d; s/^/  /' "$log" | tail -n 100 >&2
		return 1
	}
}

# meson_build DIRECTORY TARGET OPTION...: sets a build directory up with the
# options, unless it is, and builds TARGET in it ("all" for everything).
meson_build() {
	local directory=$1 target=$2
	shift 2
	if [ ! -e "$directory/build.ninja" ]; then
		note "setting up $directory"
		# What an earlier attempt left unfinished is in the way.
		rm -rf "$directory/meson-private"
		quietly "$directory/setup.log" meson setup "$directory" "$@" ||
			die "meson could not set up $directory"
	fi
	if ninja -C "$directory" -n "$target" 2>/dev/null | grep -q 'no work to do'; then
		return
	fi
	note "building in $directory"
	quietly "$directory/build.log" ninja -C "$directory" "$target" ||
		die "the build in $directory failed"
}
