# Completion of hooksmtpctl for bash.

_hooksmtpctl_hooks() {
  hooksmtpctl hooks list 2>/dev/null | sed -n '2,$s/^\([^ /]*\).*/\1/p' | sort -u
}

_hooksmtpctl() {
  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command='' word i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    word=${COMP_WORDS[i]}
    case $word in
      --socket | --url | --password-file) ((++i)) ;;
      -*) ;;
      *)
        command=${command:+$command }$word
        case $command in hooks | hook | inbox) ;; *) break ;; esac
        ;;
    esac
  done
  case $prev in
    --socket | --password-file | --cases | --config | -o | --output)
      compopt -o filenames 2>/dev/null
      mapfile -t COMPREPLY < <(compgen -f -- "$cur")
      return
      ;;
    --lang)
      mapfile -t COMPREPLY < <(compgen -W 'python node shell' -- "$cur")
      return
      ;;
    --format)
      mapfile -t COMPREPLY < <(compgen -W 'zip mbox eml' -- "$cur")
      return
      ;;
    --hook | --sandbox)
      mapfile -t COMPREPLY < <(compgen -W "$(_hooksmtpctl_hooks)" -- "$cur")
      return
      ;;
  esac
  local words=''
  case $command in
    '') words='--help --version --json --socket status ready configure cget reload stop hooks trace wait expect inbox hook' ;;
    ready) words='--help --timeout' ;;
    configure | cget) words="--help $(hooksmtpctl cget 2>/dev/null | sed -n 's/^\([^ ]*\) .*/\1/p')" ;;
    stop) words='--help --wait' ;;
    trace) words='--help --client --session --listener --hook --once' ;;
    wait) words='--help --cursor --since --from --to --subject --listener --user --count --timeout --' ;;
    expect) words='--help --cursor --since --timeout --' ;;
    hooks) words='--help list restart' ;;
    'hooks restart') words="--help $(_hooksmtpctl_hooks)" ;;
    inbox) words='--help --url --password-file list search show wait delete export' ;;
    'inbox list') words='--help --query --mailbox --limit' ;;
    'inbox search') words='--help --mailbox --limit' ;;
    'inbox show') words='--help --raw --headers --text --html --parts --dialogue latest' ;;
    'inbox wait') words='--help --cursor --since --count --timeout' ;;
    'inbox delete') words='--help --query --all latest' ;;
    'inbox export') words='--help --query --mailbox --format' ;;
    hook) words='--help new test record replay' ;;
    'hook new') words='--help --lang' ;;
    'hook test') words='--help --cases --sandbox --config --events --timeout --options --json' ;;
    'hook record') words="--help --output --messages $(_hooksmtpctl_hooks)" ;;
    'hook replay') words='--help --hook --timeout --json' ;;
    *) words='--help' ;;
  esac
  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
  case $command in
    expect | 'inbox export' | 'hook new' | 'hook test' | 'hook replay')
      if [[ $cur != -* ]]; then
        compopt -o filenames 2>/dev/null
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -- "$cur")
      fi
      ;;
  esac
}

complete -F _hooksmtpctl hooksmtpctl
