#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""schema.py SCHEMA CONFIGURATIONS - the published JSON Schema, as a validator that is
not ours reads it: it takes the documents that test_config.c sees taken, and refuses
those that it sees refused, but for the few that say that no schema can."""

import json
import sys

try:
    import jsonschema
except ImportError:
    print("1..0 # SKIP there is no python3-jsonschema")
    sys.exit(0)

with open(sys.argv[1], encoding="utf-8") as schema_file:
    schema = json.load(schema_file)
with open(sys.argv[2], encoding="utf-8") as documents_file:
    documents = json.load(documents_file)

jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
rows = [(document, True) for document in documents["good"]]
rows += [(row["is"], row.get("schema") == "passes") for row in documents["bad"]]
print(f"1..{len(rows)}")
for number, (document, wanted) in enumerate(rows, 1):
    verdict = "ok" if validator.is_valid(document) == wanted else "not ok"
    print(f"{verdict} {number} - {json.dumps(document)[:80].replace('#', '.')}")
