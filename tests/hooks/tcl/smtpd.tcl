# A server as the manual page smtpd(3tcl) shows it, with callbacks for every way of refusing.
#   tclsh smtpd.tcl PORT deliver|deliverMIME
# What callbacks were called with goes to the file `noted`: a line for each, words between \x1f, elements of lists \x1e.

package require smtpd

proc note {args} {
    set file [open noted a]
    fconfigure $file -encoding utf-8
    puts $file [join $args \x1f]
    close $file
}

proc validate_host {ipnum} {
    puts "this goes to standard output: $ipnum"
    if {[string match "127.9.*" $ipnum]} {
        error "go away!"
    }
}

proc validate_sender {address} {
    note sender $address
    eval array set addr [mime::parseaddress $address]
    if {[string match "denied" $addr(local)]} {
        error "mailbox $addr(local) denied"
    }
    return
}

proc validate_recipient {prefix address} {
    note recipient $prefix $address
    switch -glob -- $address {
        error@* { error "no such user" }
        break@* { return -code break }
        return@* { return -code error -errorcode 450 "later" }
    }
}

proc refuse {how} {
    switch -- $how {
        full { error "disk full" }
        code { error "disk full" {} 452 }
        enhanced { error "too large" {} "552 5.2.3" }
        status { error "on holiday" {} {TCL nothing} }
        runtime { return $nothing }
        own { return -code error -errorcode 550 "not for you" }
        own4 { return -code error -errorcode 451 "not now" }
        accept { return -code error -errorcode 250 "taken all the same" }
        break { return -code break }
    }
}

proc deliver {sender recipients data} {
    note deliver $sender [join $recipients \x1e] [join $data \x1e]
    refuse [string range [lindex $recipients 0] 1 [expr {[string first @ [lindex $recipients 0]] - 1}]]
}

proc bodies {tokens} { return [string map {\n \x1e} [join [lmap token $tokens { mime::getbody $token }] \x1f]] }

proc deliverMIME {token} {
    array set fields [mime::getheader $token]
    note mime $fields(Return-Path) [lindex [mime::getheader $token Subject] 0] [mime::getproperty $token content] \
        [expr {[mime::getproperty $token content] eq "text/plain" ? [bodies [list $token]] :
               [bodies [mime::getproperty $token parts]]}]
    refuse [lindex [mime::getheader $token Subject] 0]
}

proc keep {token} { mime::finalize $token }

proc ::smtpd::mine {sender recipients data} { ::deliver $sender $recipients $data }

smtpd::configure -validate_host validate_host -validate_sender [list validate_sender] \
    -validate_recipient {validate_recipient prefix}
switch -- [lindex $argv 1] {
    deliver { smtpd::configure -deliver mine }
    deliverMIME { smtpd::configure -deliver mine -deliverMIME ::deliverMIME }
    finalised { smtpd::configure -deliverMIME keep }
}
set sock [smtpd::start 127.0.0.1 [lindex $argv 0]]
if {[catch { smtpd::start } message]} { puts stderr "ready: $message" }
vwait forever
