# Completion of hooksmtpd for fish.

set -l commands run check-config check-sandbox run-hook tls passwd sendmail
set -l none "not __fish_seen_subcommand_from $commands"
set -l configured '__fish_seen_subcommand_from run check-config run-hook'
complete -c hooksmtpd -f
complete -c hooksmtpd -l help -d 'print the usage'
complete -c hooksmtpd -n $none -l version -d 'print the version'
complete -c hooksmtpd -n $none -a run -d 'serve, in the foreground'
complete -c hooksmtpd -n $none -a check-config -d 'say what is wrong with the configuration; start nothing'
complete -c hooksmtpd -n $none -a check-sandbox -d 'say which layers of the sandbox this machine gives'
complete -c hooksmtpd -n '__fish_seen_subcommand_from check-sandbox' -l json -d 'one line of JSON'
complete -c hooksmtpd -n $none -a run-hook -d 'run one configured hook, locked in as the daemon would, by hand'
complete -c hooksmtpd -n $none -a tls -d 'certificates'
complete -c hooksmtpd -n $none -a passwd -d 'make an entry for the password file'
complete -c hooksmtpd -n $none -a sendmail -d 'hand a message over, as sendmail would'
complete -c hooksmtpd -n $configured -l config -rF -d 'configuration file'
complete -c hooksmtpd -n $configured -l defaults -d 'read no file'
complete -c hooksmtpd -n $configured -l listen -x -d 'instead of what the configuration says'
complete -c hooksmtpd -n $configured -l set -x -d 'change one setting'
complete -c hooksmtpd -n '__fish_seen_subcommand_from run' -l ephemeral -d 'let the kernel pick every port'
complete -c hooksmtpd -n '__fish_seen_subcommand_from run-hook' -l read -rF -d 'a further folder'
complete -c hooksmtpd -n '__fish_seen_subcommand_from tls; and not __fish_seen_subcommand_from init' -a init
complete -c hooksmtpd -n '__fish_seen_subcommand_from init' -l dir -rF -d 'where'
complete -c hooksmtpd -n '__fish_seen_subcommand_from init' -l name -x -d 'a further host name or address'
complete -c hooksmtpd -n '__fish_seen_subcommand_from init' -l new-ca -d 'a new authority'
