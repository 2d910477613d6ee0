# Completion of hooksmtpctl for fish.

function __hooksmtpctl_hooks
    hooksmtpctl hooks list 2>/dev/null | sed -n '2,$s/^\([^ /]*\).*/\1/p' | sort -u
end

function __hooksmtpctl_keys
    hooksmtpctl cget 2>/dev/null | sed -n 's/^\([^ ]*\) .*/\1/p'
end

set -l commands status ready configure cget reload stop hooks trace wait expect inbox hook
set -l none "not __fish_seen_subcommand_from $commands"
complete -c hooksmtpctl -f
complete -c hooksmtpctl -l help -d 'print the usage'
complete -c hooksmtpctl -n $none -l version -d 'print the version'
complete -c hooksmtpctl -n $none -l json -d 'one line of JSON'
complete -c hooksmtpctl -n $none -l socket -rF -d 'the control socket'
complete -c hooksmtpctl -n $none -a status -d 'what listens, what runs, what was served'
complete -c hooksmtpctl -n $none -a ready -d 'succeed when every hook is ready'
complete -c hooksmtpctl -n $none -a configure -d 'change a setting until the next reload'
complete -c hooksmtpctl -n $none -a cget -d 'print a setting, or all and where they come from'
complete -c hooksmtpctl -n $none -a reload -d 'read the configuration again'
complete -c hooksmtpctl -n $none -a stop -d 'release the addresses, let sessions finish, stop'
complete -c hooksmtpctl -n $none -a hooks -d 'how each process of each hook is doing'
complete -c hooksmtpctl -n $none -a trace -d 'show sessions, and what hooks are asked and answer, live'
complete -c hooksmtpctl -n $none -a wait -d 'succeed when a message has come'
complete -c hooksmtpctl -n $none -a expect -d 'succeed when a session has gone as a file says'
complete -c hooksmtpctl -n $none -a inbox -d 'the mail that the inbox keeps'
complete -c hooksmtpctl -n $none -a hook -d 'write, try and record hooks'

complete -c hooksmtpctl -n '__fish_seen_subcommand_from ready wait expect test replay' -l timeout -x -d 'wait so long'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from configure cget' -a '(__hooksmtpctl_keys)'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from stop' -l wait -d 'until it has stopped'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from trace' -l client -x -d 'only of this address or network'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from trace' -l session -x -d 'only of this session'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from trace wait; and not __fish_seen_subcommand_from inbox' -l listener -x -d 'of this listener'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from trace replay' -l hook -x -a '(__hooksmtpctl_hooks)' -d 'of this hook'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from trace' -l once -d 'end after one session'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from hooks; and not __fish_seen_subcommand_from list restart' -a 'list restart'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from restart record' -a '(__hooksmtpctl_hooks)'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait expect' -l cursor -d 'print where the next will stand'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait expect' -l since -x -d 'also what came behind this cursor'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait; and not __fish_seen_subcommand_from inbox' -l from -x -d 'the sender'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait; and not __fish_seen_subcommand_from inbox' -l to -x -d 'one of the recipients'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait; and not __fish_seen_subcommand_from inbox' -l subject -x -d 'the Subject, decoded'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait; and not __fish_seen_subcommand_from inbox' -l user -x -d 'who had authenticated'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from wait' -l count -x -d 'so many messages'
set -l inbox '__fish_seen_subcommand_from inbox'
set -l of_inbox list search show wait delete export
complete -c hooksmtpctl -n "$inbox; and not __fish_seen_subcommand_from $of_inbox" -a "$of_inbox"
complete -c hooksmtpctl -n "$inbox; and not __fish_seen_subcommand_from $of_inbox" -l url -x -d 'of the inbox'
complete -c hooksmtpctl -n "$inbox; and not __fish_seen_subcommand_from $of_inbox" -l password-file -rF -d 'the password of the inbox'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from list delete export" -l query -x -d 'what the search finds'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from list search export" -l mailbox -x -d 'only of this one'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from list search" -l limit -x -d 'so many'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from show delete" -a latest
for side in raw headers text html parts dialogue
    complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from show" -l $side
end
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from delete" -l all -d 'every message'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from export" -l format -x -a 'zip mbox eml'
complete -c hooksmtpctl -n "$inbox; and __fish_seen_subcommand_from export" -F
complete -c hooksmtpctl -n '__fish_seen_subcommand_from expect new test replay' -F
complete -c hooksmtpctl -n '__fish_seen_subcommand_from hook; and not __fish_seen_subcommand_from new test record replay' -a 'new test record replay'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from new' -l lang -x -a 'python node shell' -d 'of the hook'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test' -l cases -rF -d 'own cases'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test' -l sandbox -x -a '(__hooksmtpctl_hooks)' -d 'a configured hook, locked in'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test' -l config -rF -d 'the configuration that has it'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test' -l events -x -d 'what it is asked'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test' -l options -x -d 'of the hook, as JSON'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from test replay' -l json -d 'one line of JSON'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from record' -s o -l output -rF -d 'a file'
complete -c hooksmtpctl -n '__fish_seen_subcommand_from record' -l messages -d 'with the messages'
