#!/usr/bin/env python3
"""Refuses recipients at the domains in `options = { blocked = ["example.net"] }`, and keeps what comes for the others."""
from hooksmtpd import Hook, reject

hook = Hook("example", stores=True)


@hook.validate_recipient
def recipient(request):
    if request.get("domain_ascii", request.domain) in hook.options.get("blocked", []):
        return reject("no such user", code=550, enhanced="5.1.1")


@hook.deliver
def deliver(request):
    request.message.save(f"{request.transaction}.eml")
    hook.log.info("kept %s from %s", request.transaction, request.sender or "<>")


if __name__ == "__main__":
    hook.run()
