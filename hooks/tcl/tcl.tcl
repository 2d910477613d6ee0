#!/usr/bin/tclsh
# Runs a script that was written for tcllib's `smtpd` package behind hooksmtpd, unchanged (proto/hook/PROTOCOL.md).
#
#   command = [".../hooks/tcl", "/etc/hooksmtpd/hooks/mail.tcl"]      further arguments are the script's, in argv
#   events = ["validate_host", "validate_sender", "validate_recipient", "deliver"]
#
# With `-j N` before the script the daemon sends up to N requests at once, 1 to 256, which costs less. They are answered one
# after the other: so only if N callbacks together take less than the time limit of one (the event's `timeout`).
#
# The script finds a package `smtpd` with the commands of the manual page smtpd(3tcl). Its callbacks are called with the
# same arguments and in the same namespace, and what they do decides what the client hears:
#
#   validate_host IP                      an error:  550 Access denied: MESSAGE
#   validate_sender, _recipient ADDRESS   an error:  553 … mailbox name not allowed; the message goes to the log
#   deliver <SENDER> {<RECIPIENT> …} LINES, or deliverMIME TOKEN
#                                         an error:  554 Transaction failed: MESSAGE, or if -errorcode is a reply code,
#                                                    with or without an enhanced one behind it, that code and MESSAGE
#
# LINES begin with the trace header fields, as there. What differs, and why:
#   - Client text is never code. A callback is a command prefix, and a client's address one word at its end.
#   - The addresses and ports of `start`, the banner and TLS are the configuration's; `start` and `configure` take them,
#     and `cget` gives them back. After `stop` further clients hear 421, and sessions go on.
#   - The domain of an address is in lower case.
#   - The null sender of a bounce is accepted without asking validate_sender: no callback expects it (smtpd calls it
#     without an argument, and takes the error for a refusal), and it must be accepted (RFC 5321 §4.5.5).
#   - -errorcode counts if it begins with a reply code; any three digits anywhere in it, CHILDSTATUS and its pid for
#     instance, do not. 421 also ends the connection; 2yz accepts.
#   - A message of several lines is a reply of several lines.
#   - stdout is the log, like stderr, and stdin is empty: `puts` cannot break the protocol.
#
# It needs Debian's tcl and tcllib.

package require Tcl 8.6
package require json
package require logger
package require mime
package provide smtpd 1.5

# What the script sees.
namespace eval ::smtpd {
    namespace export start stop configure cget

    variable version 1.5
    variable stopped
    variable options
    array set options {
        serveraddr {} banner {tcllib smtpd 1.5}
        deliverMIME {} deliver {} validate_host {} validate_sender {} validate_recipient {}
        usetls 0 tlsopts {}
    }
    variable callbacks {-deliverMIME -deliver -validate_host -validate_sender -validate_recipient}
    variable tlsopts {-cadir -cafile -certfile -cipher -command -keyfile -password -request -require -ssl2 -ssl3 -tls1}

    variable log [logger::init smtpd]
    ${log}::setlevel warn
    proc ${log}::stdoutcmd {level text} { ::hooksmtpd::log $level $text }
}

proc ::smtpd::start {{myaddr {}} {port 25}} {
    variable options
    variable stopped
    variable log
    if {[info exists options(socket)]} {
        return -code error "smtpd service already running on socket $options(socket)"
    }
    set options(serveraddr) [expr {$myaddr ne {} ? $myaddr : [info hostname]}]
    set options(socket) hooksmtpd
    set stopped 0
    ::hooksmtpd::serve
    ${log}::notice "smtpd service started behind hooksmtpd, which listens where its configuration says"
    return $options(socket)
}

proc ::smtpd::stop {} {
    variable options
    variable stopped
    variable log
    if {[info exists options(socket)]} {
        unset options(socket)
        set stopped 1
        ${log}::notice "smtpd service stopped"
    }
}

proc ::smtpd::cget {option} {
    variable options
    variable tlsopts
    variable log
    set name [string trimleft $option -]
    if {$option eq "-loglevel"} { return [${log}::currentloglevel] }
    if {[info exists options($name)]} { return $options($name) }
    if {"-$name" in $tlsopts} {
        return [expr {[dict exists $options(tlsopts) -$name] ? [dict get $options(tlsopts) -$name] : {}}]
    }
    return -code error "unknown option \"-$name\": must be one of -[join [lsort [array names options]] {, -}]"
}

proc ::smtpd::configure {args} {
    variable options
    variable callbacks
    variable tlsopts
    variable log
    if {[llength $args] == 0} {
        set all [list -loglevel [${log}::currentloglevel]]
        foreach name [lsort [array names options]] { lappend all -$name $options($name) }
        return $all
    }
    while {[string match -* [set option [lindex $args 0]]]} {
        if {$option eq "--"} break
        set value [lindex $args 1]
        if {$option eq "-loglevel"} {
            ${log}::setlevel $value
        } elseif {$option in $callbacks || $option in {-banner -usetls}} {
            set options([string trimleft $option -]) $value
        } elseif {$option in $tlsopts} {
            dict set options(tlsopts) $option $value
        } else {
            return -code error "unknown option: \"$option\": must be one of [join $callbacks {, }] or an option suitable\
                to tls::init"
        }
        set args [lrange $args 2 end]
    }
    return {}
}

# The other side: requests in, replies out.
namespace eval ::hooksmtpd {
    variable requests
    variable replies
    variable started 0  ;# smtpd::start was called
    variable problem {} ;# why the script did not come that far
    variable at_once 1
    variable taken {deliver deliver_mime validate_host validate_sender validate_recipient}
}

# To standard error, which is the daemon's log.
proc ::hooksmtpd::log {level text} {
    set number [dict get {debug 7 info 6 notice 5 warn 4 error 3 critical 3 alert 3 emergency 3} $level]
    foreach line [split $text \n] { puts stderr "<$number>$line" }
}

# Keeps the daemon's pipes to ourselves. Whoever reads descriptor 0 finds nothing there, and what goes to descriptor 1,
# from `puts` or from a program that the script runs, goes to the log: the first channel opened after a standard channel
# was closed takes its number and its place.
proc ::hooksmtpd::take_pipes {} {
    variable requests
    variable replies
    set ours [expr {![catch {open /proc/self/fd/0 r} requests] && ![catch {open_anew 1} replies]}]
    if {!$ours} {
        set requests stdin
        set replies stdout
    }
    fconfigure $requests -blocking 0 -translation lf -encoding iso8859-1 -buffersize 65536
    fconfigure $replies -translation lf -encoding iso8859-1 -buffering full -buffersize 65536
    if {!$ours} { return [divert_puts] }
    close stdin
    open /dev/null r
    close stdout
    if {[catch {open_anew 2}]} {
        open /dev/null w ;# standard error is a socket
    } else {
        close stderr ;# both write to the end of what may be a file
        open_anew 1
        fconfigure stderr -buffering none
    }
    fconfigure stdout -buffering line
}

# Root tries the hook by hand, and the hook's user may not open root's pipes anew. `puts` at least goes to the log; ours,
# in this namespace, is as it was.
proc ::hooksmtpd::divert_puts {} {
    rename ::puts ::hooksmtpd::puts
    proc ::puts {args} {
        set option [expr {[lindex $args 0] eq "-nonewline" && [llength $args] > 1 ? "-nonewline" : {}}]
        set words [lrange $args [llength $option] end]
        if {[llength $words] == 1} { set words [linsert $words 0 stderr] }
        if {[lindex $words 0] eq "stdout"} { lset words 0 stderr }
        tailcall ::hooksmtpd::puts {*}$option {*}$words
    }
}

# A second channel for a descriptor: to the end of a file, and into a pipe, which has none.
proc ::hooksmtpd::open_anew {descriptor} {
    if {![catch {open /proc/self/fd/$descriptor {WRONLY APPEND}} channel]} { return $channel }
    return [open /proc/self/fd/$descriptor WRONLY]
}

proc ::hooksmtpd::serve {} {
    variable requests
    variable started 1
    fileevent $requests readable ::hooksmtpd::read_requests
}

# Answers what has come, and gives the event loop its turn: what the script waits for may have come of it. Replies leave
# together, unless that would keep the first ones waiting. Nobody to read them, or to ask: the daemon is gone.
proc ::hooksmtpd::read_requests {} {
    if {[catch answer_what_has_come]} exit
}

proc ::hooksmtpd::answer_what_has_come {} {
    variable requests
    variable replies
    variable at_once
    set due [expr {[clock milliseconds] + 2}]
    for {set count 0} {$count < $at_once && [clock milliseconds] <= $due} {incr count} {
        if {[gets $requests line] < 0} {
            flush $replies
            if {[eof $requests]} exit
            return
        }
        puts $replies [reply_to $line]
    }
    flush $replies
}

proc ::hooksmtpd::reply_to {line} {
    if {[scan $line "\{\"v\":%d,\"id\":%lld,\"event\":\"%\[a-z_]\"" version id event] != 3} {
        log error "not a request: [string range $line 0 99]"
        return "{[refused defer 451 4.3.0 {the tcl hook has not understood the request}]}"
    }
    if {[catch {answer $event $line} body options]} {
        log error "request not answered: [dict get $options -errorinfo]"
        set body [refused defer 451 4.3.0 {the tcl hook has failed}]
    }
    return "{\"id\":$id,$body}"
}

# What a reply says besides its id.
proc ::hooksmtpd::answer {event line} {
    variable taken
    if {$event in $taken} { return [$event [fields_of $line]] }
    if {$event eq "hello"} { return [hello [json::json2dict $line]] }
    return {"action":"accept"}
}

proc ::hooksmtpd::refused {action code enhanced text} {
    return "\"action\":\"$action\",\"code\":$code,\"enhanced\":\"$enhanced\",\"text\":[text_of $text]"
}

# What a callback needs of a request: address, or from, to and path. A line without a backslash and without a `_b64` has
# nothing to decode, and needs no parser: no value has a quote in it, the subject comes last, no client can make up a key.
proc ::hooksmtpd::fields_of {line} {
    if {[string first \\ $line] >= 0 || [string first _b64\": $line] >= 0} { return [decoded [json::json2dict $line]] }
    set last [string range $line [string last :\" $line]+2 [string last \" $line]-1]
    if {[string first "\"message\":\{" $line] < 0} { return [dict create address $last] }
    set begin [string first "\"from\":\"" $line]
    set from [string range $line $begin+8 [string first \" $line $begin+8]-1]
    set begin [string first "\"to\":\[\"" $line]
    set to [string range $line $begin+7 [string first "\"\]," $line $begin+7]-1]
    return [dict create from $from to [split [string map {\",\" \"} $to] \"] path $last]
}

# A request as a dictionary. What was not UTF-8 becomes a character for each octet, as a channel of smtpd reads it.
proc ::hooksmtpd::decoded {request} {
    set octets {text { binary decode base64 $text }}
    foreach key {address from} {
        if {[dict exists $request ${key}_b64]} {
            dict set request $key [apply $octets [dict get $request ${key}_b64]]
        }
    }
    if {[dict exists $request to_b64]} {
        set to {}
        foreach address [dict get $request to] encoded [dict get $request to_b64] {
            lappend to [expr {$encoded eq "null" ? $address : [apply $octets $encoded]}]
        }
        dict set request to $to
    }
    if {[dict exists $request message path]} { dict set request path [dict get $request message path] }
    return $request
}

proc ::hooksmtpd::hello {request} {
    variable started
    variable problem
    if {!$started} {
        if {$problem eq {}} { set problem "the script has not called smtpd::start" }
        return "\"ready\":false,\"text\":[text_of $problem]"
    }
    set events [dict get $request events]
    set stores false
    foreach option $::smtpd::callbacks {
        if {[::smtpd::cget $option] eq {}} continue
        set event [string map {-deliverMIME deliver - {}} $option]
        if {$event eq "deliver"} { set stores true }
        if {$event ni $events && !($event eq "deliver" && "deliver_mime" in $events)} {
            log warn "the script has a $option, but the daemon does not ask this hook: add \"$event\" to its events"
        }
    }
    variable at_once
    return "\"ready\":true,\"name\":\"tcl\",\"v\":1,\"concurrency\":$at_once,\"stores\":$stores,\"decline\":\[\"reset\"\]"
}

# Calls a callback in the namespace where smtpd does. True if it was left other than by a plain return, with what `catch`
# says of it in the variables `message` and `options` of the caller.
proc ::hooksmtpd::refuses {words} {
    upvar 1 message message options options
    variable call $words ;# by name, and not as a script: a stack trace would show what the client wrote
    if {![catch {namespace eval ::smtpd {{*}$::hooksmtpd::call}} message options]} { return 0 }
    if {[dict get $options -code] == 1 && [string match {TCL *} [dict get $options -errorcode]]} {
        log warn "a callback has failed: [dict get $options -errorinfo]"
    }
    return 1
}

proc ::hooksmtpd::validate {option request} {
    set callback [::smtpd::cget $option]
    if {$callback eq {} || ![refuses [list {*}$callback [dict get $request address]]]} { return {"action":"accept"} }
    return "\"action\":\"reject\",\"text\":[text_of $message]"
}

proc ::hooksmtpd::validate_host {request} {
    if {![info exists ::smtpd::options(socket)]} { return [refused close 421 4.3.2 {smtpd service stopped}] }
    return [validate -validate_host $request]
}
proc ::hooksmtpd::validate_sender {request} {
    if {[dict get $request address] eq {}} { return {"action":"accept"} }
    return [validate -validate_sender $request]
}
proc ::hooksmtpd::validate_recipient {request} { return [validate -validate_recipient $request] }

proc ::hooksmtpd::deliver_mime {request} { return [deliver $request] }
proc ::hooksmtpd::deliver {request} {
    set mime [::smtpd::cget -deliverMIME]
    set plain [::smtpd::cget -deliver]
    if {$mime eq {} && $plain eq {}} { return {"action":"accept"} }
    set lines [lines_of [dict get $request path]]
    if {$mime eq {}} {
        set sender <[dict get $request from]>
        set recipients [lmap address [dict get $request to] { string cat < $address > }]
        set failed [refuses [list $plain $sender $recipients $lines]]
    } elseif {![set failed [catch { mime::initialize -string [join $lines \n] } message options]]} {
        set token $message
        set failed [refuses [list {*}$mime $token]]
        if {[catch { mime::finalize $token -subordinates all } what how] && !$failed} {
            lassign [list 1 $what $how] failed message options
        }
    }
    if {$failed} { return [refusal $message $options] }
    return {"action":"accept"}
}

# A message as smtpd hands it over: its lines, a character for each octet, trace header fields first.
proc ::hooksmtpd::lines_of {path} {
    set file [open $path r]
    try {
        fconfigure $file -translation crlf -encoding iso8859-1 -buffersize 65536
        set message [read $file]
    } finally {
        close $file
    }
    if {[string index $message end] eq "\n"} { set message [string range $message 0 end-1] }
    return [split $message \n]
}

# The reply to a message whose callback ended with `message` and the options of `catch`.
proc ::hooksmtpd::refusal {message options} {
    set errorcode [expr {[dict get $options -code] == 1 ? [dict get $options -errorcode] : "NONE"}]
    if {![regexp {^([245])(\d\d)(?:\s+([45])(\.\d{1,3}\.\d{1,3}))?(?:\s+(.*))?$} $errorcode -> class rest class2 detail more]} {
        return "\"action\":\"reject\",\"text\":[text_of $message]"
    }
    if {$class == 2} { return {"action":"accept"} }
    if {$rest >= 60} { set rest [expr {$class == 5 ? "54" : "51"}] } ;# 571 and the like are no codes of RFC 5321
    set code $class$rest
    set action [expr {$code == 421 ? "close" : $class == 5 ? "reject" : "defer"}]
    set enhanced [expr {$class2 eq $class ? ",\"enhanced\":\"$class2$detail\"" : ""}]
    return "\"action\":\"$action\",\"code\":$code$enhanced,\"text\":[text_of [string trimleft "$more $message"]]"
}

# A text as JSON: a list of its lines, as many and as long as a reply of 64 KiB can have them.
proc ::hooksmtpd::text_of {text} {
    set lines {}
    set octets 0
    foreach line [lrange [split [string trimright $text] \n] 0 99] {
        set quoted [quoted [string range $line 0 499]]
        if {[incr octets [string length $quoted]] > 60000} break
        lappend lines $quoted
    }
    return \[[join $lines ,]\]
}

proc ::hooksmtpd::quoted {text} {
    set quoted {}
    foreach character [split $text {}] {
        scan $character %c number
        append quoted [expr {$number < 32 || $number > 126 || $character in {\" \\} ? [format \\u%04x $number] : $character}]
    }
    return \"$quoted\"
}

proc ::hooksmtpd::main {} {
    variable started
    variable problem
    variable at_once
    if {[lindex $::argv 0] eq "-j"} { set ::argv [lassign $::argv option at_once] }
    if {[llength $::argv] == 0 || ![string is integer -strict $at_once] || $at_once < 1 || $at_once > 256} {
        puts stderr "usage: tcl \[-j N\] SCRIPT \[ARGUMENT...\]"
        exit 64
    }
    take_pipes
    set ::argv [lassign $::argv ::argv0]
    set ::argc [llength $::argv]
    if {[catch {uplevel #0 [list source $::argv0]} message options]} {
        log error [dict get $options -errorinfo]
        set problem "the script has failed: $message"
        set started 0
    }
    if {!$started} {
        variable requests
        fileevent $requests readable ::hooksmtpd::read_requests
    }
    vwait ::hooksmtpd::forever
}

::hooksmtpd::main
