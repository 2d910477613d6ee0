#!/usr/bin/python3
"""Accepts, with the SDK for Python."""

from hooksmtpd import Hook

hook = Hook("bench", concurrency=64)


@hook.on("validate_sender", "validate_recipient", "deliver")
def yes(request):
    return True


hook.run()
