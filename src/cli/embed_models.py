#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""embed_models.py OUTPUT FILE...: the shipped CPU models, as strings of a C program.

Each FILE becomes a row of cpu_model_texts[] (src/cli/cpu_models.h), called as the file is,
and a word of cpu_model_words[].
"""
import json
import pathlib
import sys

names = ["host"]
rows = []
for path in map(pathlib.Path, sys.argv[2:]):
    # A string of JSON in ASCII is one of C, but that C reads \u otherwise below 0xa0. Nobody
    # sees it, so there is no white space in it.
    text = json.dumps(json.loads(path.read_text(encoding="ascii")), separators=(",", ":"))
    names.append(path.stem)
    rows.append(f"\t{{{json.dumps(path.stem)}, {json.dumps(text)}}},\n")
pathlib.Path(sys.argv[1]).write_text(
    '#include "cpu_models.h"\n\n'
    "const struct cpu_model_text cpu_model_texts[] = {\n" + "".join(rows) + "\t{0},\n};\n\n"
    "const char *const cpu_model_words[] = {" + ", ".join(map(json.dumps, names)) + ", NULL};\n",
    encoding="ascii",
)
