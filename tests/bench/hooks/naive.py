#!/usr/bin/python3
"""Accepts, as somebody writes it who has read the first ten lines of the protocol."""

import json
import sys

for line in sys.stdin:
    request = json.loads(line)
    print("reject" if request.get("address") == "nobody@example.test" else "ok", flush=True)
