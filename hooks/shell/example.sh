#!/bin/sh
# Refuses recipients at the domains in `options = { blocked = ["example.net"] }`, and keeps what comes for the others.
. "$HOOK_SDK/hooksmtpd.sh"

on_hello() {
  blocked=" $(json '.options.blocked // [] | join(" ")') "
}

on_validate_recipient() {
  field domain domain_ascii
  case $blocked in *" ${domain_ascii:-$domain} "*) reject 550 5.1.1 no such user ;; esac
}

on_deliver() {
  field transaction from
  save "$transaction.eml"
  log info "kept $transaction from ${from:-<>}"
}

hook_reply='"stores":true'
run
