# Completion of hooksmtpd for bash.

_hooksmtpd() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    case ${COMP_WORDS[i]} in
      -*) ;;
      *)
        command=${command:+$command }${COMP_WORDS[i]}
        [ "$command" = tls ] || break
        ;;
    esac
  done
  case $prev in
    --config)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --read | --dir)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -d -- "$cur")
      return
      ;;
  esac
  local words=''
  case $command in
    '') words='--help --version run check-config check-sandbox run-hook tls passwd sendmail' ;;
    run) words='--help --config --defaults --listen --set --ephemeral' ;;
    check-config) words='--help --config --defaults --listen --set' ;;
    check-sandbox) words='--help --json' ;;
    run-hook) words='--help --config --defaults --listen --set --read' ;;
    tls) words='--help init' ;;
    'tls init') words='--help --dir --name --new-ca' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _hooksmtpd hooksmtpd
