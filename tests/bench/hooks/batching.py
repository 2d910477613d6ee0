#!/usr/bin/python3
"""Accepts: all questions of one read are answered with one write. What Python itself costs, with no SDK."""

import json
import os

unfinished = b""
while octets := os.read(0, 65536):
    *questions, unfinished = (unfinished + octets).split(b"\n")
    answers = [json.dumps({"id": json.loads(question)["id"], "action": "accept"}) + "\n" for question in questions]
    if answers:
        os.write(1, "".join(answers).encode())
