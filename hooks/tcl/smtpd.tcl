# The package `smtpd` that a script for tcllib's finds behind hooksmtpd, and how its callbacks answer requests. Compiled into
# the hook: main.cc says what is the same as there, and what differs. The reading of requests and writing of replies is in
# server.cc, which calls the procedures of ::hooksmtpd with what a request is about; each returns what the reply says besides
# its id.

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
    set ::hooksmtpd::started 1
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

# The other side. The command `serve` is server.cc's.
namespace eval ::hooksmtpd {
    variable started 0  ;# smtpd::start was called
    variable problem {} ;# why the script did not come that far
}

# Calls back, in the namespace where smtpd does; `refused` makes a reply of whatever is no plain return. The words are a
# variable's and not a script's: a stack trace would show what the client wrote.
proc ::smtpd::.call {words refused} {
    if {![catch {{*}$words} message options]} return
    ::hooksmtpd::log_failure $options
    return [::hooksmtpd::$refused $message $options]
}

# To standard error, which is the daemon's log.
proc ::hooksmtpd::log {level text} {
    set number [dict get {debug 7 info 6 notice 5 warn 4 error 3 critical 3 alert 3 emergency 3} $level]
    foreach line [split $text \n] { puts stderr "<$number>$line" }
}

proc ::hooksmtpd::refused {action code enhanced text} {
    return "\"action\":\"$action\",\"code\":$code,\"enhanced\":\"$enhanced\",\"text\":[text_of $text]"
}

# Calls one of the procedures below with what it needs of a request that has something to decode. What was not UTF-8 becomes
# a character for each octet, as a channel of smtpd reads it.
proc ::hooksmtpd::with_decoded {procedure json {lines {}}} {
    set octets {text { binary decode base64 $text }}
    set request [json::json2dict $json]
    foreach key {address from} {
        if {[dict exists $request ${key}_b64]} {
            dict set request $key [apply $octets [dict get $request ${key}_b64]]
        }
    }
    if {[dict exists $request address]} { return [$procedure [dict get $request address]] }
    if {[dict exists $request to_b64]} {
        set to {}
        foreach address [dict get $request to] encoded [dict get $request to_b64] {
            lappend to [expr {$encoded eq "null" ? $address : [apply $octets $encoded]}]
        }
        dict set request to $to
    }
    return [$procedure [dict get $request from] [dict get $request to] $lines]
}

proc ::hooksmtpd::hello {line at_once} {
    variable started
    variable problem
    if {!$started} {
        if {$problem eq {}} { set problem "the script has not called smtpd::start" }
        return "\"ready\":false,\"text\":[text_of $problem]"
    }
    set events [dict get [json::json2dict $line] events]
    set stores false
    foreach option $::smtpd::callbacks {
        if {[::smtpd::cget $option] eq {}} continue
        set event [string map {-deliverMIME deliver - {}} $option]
        if {$event eq "deliver"} { set stores true }
        if {$event ni $events && !($event eq "deliver" && "deliver_mime" in $events)} {
            log warn "the script has a $option, but the daemon does not ask this hook: add \"$event\" to its events"
        }
    }
    return "\"ready\":true,\"name\":\"tcl\",\"v\":1,\"concurrency\":$at_once,\"body\":\"inline\",\"stores\":$stores,\"decline\":\[\"reset\"\]"
}

proc ::hooksmtpd::validate_host {address} {
    if {![info exists ::smtpd::options(socket)]} { return [refused close 421 4.3.2 {smtpd service stopped}] }
    set callback $::smtpd::options(validate_host)
    if {$callback eq {}} return
    return [::smtpd::.call [list {*}$callback $address] refused_address]
}

proc ::hooksmtpd::validate_sender {address} {
    set callback $::smtpd::options(validate_sender)
    if {$callback eq {} || $address eq {}} return
    return [::smtpd::.call [list {*}$callback $address] refused_address]
}

proc ::hooksmtpd::validate_recipient {address} {
    set callback $::smtpd::options(validate_recipient)
    if {$callback eq {}} return
    return [::smtpd::.call [list {*}$callback $address] refused_address]
}

proc ::hooksmtpd::deliver {from to lines} {
    set callback $::smtpd::options(deliver)
    if {$::smtpd::options(deliverMIME) ne {}} { return [deliver_mime $lines] }
    if {$callback eq {}} return
    set recipients [lmap address $to { string cat < $address > }]
    return [::smtpd::.call [list $callback <$from> $recipients $lines] refused_message]
}

proc ::hooksmtpd::deliver_mime {lines} {
    if {[catch { mime::initialize -string [join $lines \n] } token options]} { return [refused_message $token $options] }
    set reply [::smtpd::.call [list {*}$::smtpd::options(deliverMIME) $token] refused_message]
    if {[catch { mime::finalize $token -subordinates all } message options] && $reply eq {}} {
        return [refused_message $message $options]
    }
    return $reply
}

# A script's own mistake, which the client hears little of.
proc ::hooksmtpd::log_failure {options} {
    if {[dict get $options -code] == 1 && [string match {TCL *} [dict get $options -errorcode]]} {
        log warn "a callback has failed: [dict get $options -errorinfo]"
    }
}

proc ::hooksmtpd::refused_address {message options} { return "\"action\":\"reject\",\"text\":[text_of $message]" }

# The reply to a message whose callback ended with `message` and the options of `catch`.
proc ::hooksmtpd::refused_message {message options} {
    set errorcode [expr {[dict get $options -code] == 1 ? [dict get $options -errorcode] : "NONE"}]
    if {![regexp {^([245])(\d\d)(?:\s+([45])(\.\d{1,3}\.\d{1,3}))?(?:\s+(.*))?$} $errorcode -> class rest class2 detail more]} {
        return "\"action\":\"reject\",\"text\":[text_of $message]"
    }
    if {$class == 2} return
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

# Runs the script. Returns when it has, which most do not: they wait for events.
proc ::hooksmtpd::run {} {
    variable started
    variable problem
    fconfigure stdout -buffering line
    if {[catch {uplevel #0 [list source $::argv0]} message options]} {
        log error [dict get $options -errorinfo]
        set problem "the script has failed: $message"
        set started 0
    }
    if {!$started} serve
    vwait ::hooksmtpd::forever
}
