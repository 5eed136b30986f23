# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# armlet's completion for bash: the program knows its options.
eval "$(armlet completion bash 2>/dev/null)"
