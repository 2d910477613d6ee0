#!/usr/bin/env python3
import json, sys

for line in sys.stdin:
    request = json.loads(line)
    blocked = request.get("address", "").endswith("@blocked.example")
    print("reject 550 5.1.1 no such user" if blocked else "ok", flush=True)
