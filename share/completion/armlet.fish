# SPDX-License-Identifier: Apache-2.0
# armlet's completion for fish: the program knows its options.
armlet completion fish 2>/dev/null | source
