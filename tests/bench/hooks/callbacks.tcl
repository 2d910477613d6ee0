# Accepts. Runs in process under tcllib's smtpd, on the port that is its first argument, and behind hooks/tcl.
package require smtpd

proc accept_host {address} {}
proc accept_address {address} {}
proc accept_message {sender recipients lines} {}

smtpd::configure -validate_host accept_host -validate_sender accept_address -validate_recipient accept_address \
    -deliver accept_message
smtpd::start 127.0.0.1 [lindex $argv 0]
vwait forever
