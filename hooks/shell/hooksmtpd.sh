# Hooks for hooksmtpd in shell. This one file is the whole library and its manual. It is POSIX sh, and needs jq for `json`
# only.
#
#     #!/bin/sh
#     . "$HOOK_SDK/hooksmtpd.sh"
#
#     on_validate_recipient() {
#       field address
#       case $address in *@blocked.example) reject 550 5.1.1 no such user ;; esac
#     }
#
#     on_deliver() {
#       field transaction
#       save "$transaction.eml"
#     }
#
#     run
#
# A function on_EVENT is asked in a subshell with `set -e`: a command that fails is a temporary failure for this client,
# and what the commands write, on standard output too, is in the daemon's log. It decides with one of these, which end it;
# if it comes to its end, it accepts (but on_auth must say `accept`: who falls off its end lets nobody in):
#
#     accept | reject [550] [5.7.1] [text] | defer [451] [4.3.0] [text] | discard | close [text]
#     reply JSON        whatever else PROTOCOL.md has: reply "$(jq -nc --arg to "$new" '{action: "accept", rewrite: $to}')"
#
# What it is asked is in $event and $request (the line). What a client has sent is text, and nothing here evaluates it;
# keep it so: quote "$address", put -- before it, let no `eval` and no `sh -c` see it.
#
#     field NAME...     sets the variable NAME to the text, number or boolean of that name in the request, or to "".
#                       `field client.ip message.path` sets $client_ip and $message_path. Octets that are not UTF-8 stand
#                       as U+FFFD. A text with a NUL, which no variable can hold, is a failure.
#     raw NAME          writes the exact octets: raw address | sha256sum
#     save FILE         copies the message to a file: whole and on disk when it returns
#     each NAME COMMAND...   runs COMMAND with each text of a list in the request: each to store_for
#     json FILTER...    jq -r FILTER of the request: json '.params.SIZE // empty'
#     log LEVEL TEXT    writes to the daemon's log: error, warning, notice, info, debug
#
# on_hello is no subshell: what it sets stays, `json .options.domain` for instance. If it fails, the hook is not ready.
# Before `run`, hook_reply may add to the reply to hello: hook_reply='"modifies":["recipient"],"body":"inline"'.
#
# What nobody handles is accepted, but for auth, deliver and deliver_mime: a yes to those would be a lie.

_hook_events='validate_host helo starttls auth validate_sender validate_recipient data deliver deliver_mime command reset
  disconnect cancel'
_hook_newline='
'

# --- What is answered

accept() { _hook_say accept; }
reject() { _hook_say reject "$@"; }
defer() { _hook_say defer "$@"; }
discard() { _hook_say discard; }
close() { _hook_say close "$@"; }
reply() { _hook_say "$@"; }

# The first line that is said counts, wherever in the function it was said: in a pipe or a subshell, too. What cannot be
# written down, since the disk is full, was not said.
_hook_say() {
  IFS=' '
  _hook_one_line "$*"
  printf '%s\n' "$_hook_line" >>"$_hook_said" || {
    : >"$_hook_said"
    exit 75
  }
  exit 0
}

# _hook_line: the text, with blanks for line feeds.
_hook_one_line() {
  _hook_line=$1
  while :; do
    case $_hook_line in
      *"$_hook_newline"*) _hook_line=${_hook_line%%"$_hook_newline"*}' '${_hook_line#*"$_hook_newline"} ;;
      *) return 0 ;;
    esac
  done
}

log() {
  case $1 in error) _hook_level=3 ;; warning) _hook_level=4 ;; notice) _hook_level=5 ;; debug) _hook_level=7 ;; *) _hook_level=6 ;; esac
  shift
  _hook_one_line "$*"
  printf '<%s>%s\n' "$_hook_level" "$_hook_line" >&2
}

# --- What is asked

field() {
  _hook_names=' '
  for _hook_name; do
    case $_hook_name in
      '' | [!a-z]* | *[!A-Za-z0-9_.]* | *.*.* | *.)
        log error "field: \"$_hook_name\" is no name of a field"
        return 1
        ;;
    esac
    _hook_set "$_hook_name" ''
    _hook_names="$_hook_names$_hook_name "
  done
  _hook_walk _hook_assign
}

# _hook_set NAME VALUE. The name is one that the author of the hook has written; of the value, nothing is evaluated.
_hook_set() {
  case $1 in *.*) _hook_variable=${1%.*}_${1#*.} ;; *) _hook_variable=$1 ;; esac
  unset -v "$_hook_variable" # so that it is not one that goes into the environment of commands
  eval "$_hook_variable=\$2"
}

_hook_assign() {
  _hook_unescape "$2"
  if [ $_hook_nul = yes ]; then
    log error "field: there is a NUL in $1, which no variable can hold"
    return 1
  fi
  case $_hook_octets in
    *\\*)
      _hook_value=$(printf '%b.' "$_hook_octets")
      _hook_value=${_hook_value%.} # which has saved the line feeds at its end
      ;;
    *) _hook_value=$_hook_octets ;;
  esac
  _hook_set "$1" "$_hook_value"
}

raw() {
  _hook_names=" $1 ${1}_b64 " _hook_twin='' _hook_kept=''
  _hook_walk _hook_keep
  if [ "$_hook_twin" ]; then
    printf '%s' "$_hook_twin" | base64 -d
  else
    _hook_unescape "$_hook_kept"
    printf '%b' "$_hook_octets"
  fi
}

_hook_keep() {
  case $1 in *_b64) _hook_twin=$2 ;; *) _hook_kept=$2 ;; esac
}

each() {
  _hook_names=" $1. " _hook_count=0
  _hook_walk _hook_collect
  shift
  _hook_index=0
  while [ "$_hook_index" -lt "$_hook_count" ]; do
    _hook_index=$((_hook_index + 1))
    eval "_hook_assign hook_item \"\$_hook_item_$_hook_index\""
    "$@" "$hook_item"
  done
}

_hook_collect() {
  _hook_count=$((_hook_count + 1))
  eval "_hook_item_$_hook_count=\$2"
}

save() {
  field message.path &&
    if [ "$message_path" ]; then cat -- "$message_path"; else raw message.data; fi >"$1.unfinished" &&
    sync -- "$1.unfinished" &&
    mv -f -- "$1.unfinished" "$1" &&
    sync -- "$(dirname -- "$1")"
}

json() { printf '%s\n' "$_hook_request" | jq -r "$@"; }

# --- Reading JSON

# Calls `$1 NAME VALUE` for each text (its escapes as they are), number and boolean of the request whose name is among
# $_hook_names; an element of the list `to` is called `to.`. The line is cut at its quotes. A quote inside a text is always
# \", so that nothing in a text can pass for a key.
_hook_walk() {
  _hook_call=$1 _hook_nest='' _hook_outer='' _hook_key='' _hook_mark='' _hook_wants='' _hook_inside=no
  _hook_split_at '"'
  # shellcheck disable=SC2086
  set -- $_hook_request
  _hook_split_no_more
  for _hook_piece; do
    if [ $_hook_inside = no ]; then
      _hook_between "$_hook_piece" || return 1
      _hook_inside=yes _hook_text=''
      continue
    fi
    [ -z "$_hook_wants" ] || _hook_text=$_hook_text$_hook_piece
    case $_hook_piece in
      *\\) # the quote after it belongs to the text, if the number of backslashes is odd
        _hook_slashes=${_hook_piece##*[!\\]}
        if [ $((${#_hook_slashes} % 2)) = 1 ]; then
          _hook_text=$_hook_text\"
          continue
        fi
        ;;
    esac
    _hook_inside=no
    case $_hook_wants in
      key) _hook_key=$_hook_text ;;
      value) "$_hook_call" "$_hook_path" "$_hook_text" || return 1 ;;
    esac
  done
}

# What stands between two texts: brackets, colons, commas, numbers, true, false, null. Then _hook_wants is `key` or
# `value` for what the next text is, or '' if nobody needs it.
_hook_between() {
  _hook_rest=$1
  while [ "$_hook_rest" ]; do
    case $_hook_rest in
      [\{\[]*)
        [ "$_hook_nest" != '{' ] || _hook_outer=$_hook_key
        _hook_nest=$_hook_nest${_hook_rest%"${_hook_rest#?}"} _hook_key=''
        ;;
      [\}\]]*) _hook_nest=${_hook_nest%?} ;;
      [!:,]*)
        _hook_scalar=${_hook_rest%%[,\}\]]*}
        _hook_rest=${_hook_rest#"$_hook_scalar"}
        _hook_locate
        [ -z "$_hook_path" ] || [ "$_hook_scalar" = null ] || "$_hook_call" "$_hook_path" "$_hook_scalar" || return 1
        continue
        ;;
    esac
    _hook_mark=${_hook_rest%"${_hook_rest#?}"}
    _hook_rest=${_hook_rest#?}
  done
  _hook_wants=''
  case $_hook_nest$_hook_mark in
    '{:' | '{{:' | '{['?)
      _hook_locate
      [ -z "$_hook_path" ] || _hook_wants=value
      ;;
    '{'? | '{{'?) _hook_wants=key ;;
  esac
}

# _hook_path: the name of the value that comes next, or '' if nobody asks for it.
_hook_locate() {
  case $_hook_nest in
    '{') _hook_path=$_hook_key ;;
    '{{') _hook_path=$_hook_outer.$_hook_key ;;
    '{[') _hook_path=$_hook_outer. ;;
    *) _hook_path='' ;;
  esac
  case $_hook_path in *[!A-Za-z0-9_.]*) _hook_path='' ;; esac
  case $_hook_names in *" $_hook_path "*) ;; *) _hook_path='' ;; esac
}

# _hook_octets: the text for printf '%b'. _hook_nul: whether there is a NUL in it.
_hook_unescape() {
  _hook_octets=$1 _hook_nul=no
  case $1 in *\\*) ;; *) return 0 ;; esac
  _hook_split_at \\
  # shellcheck disable=SC2086
  set -- $1
  _hook_split_no_more
  _hook_octets='' _hook_high='' _hook_plain=yes
  for _hook_piece_of_text; do
    case $_hook_plain$_hook_piece_of_text in
      yes*)
        _hook_octets=$_hook_octets$_hook_piece_of_text _hook_plain=''
        ;;
      u[0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f][0-9A-Fa-f]*)
        _hook_after=${_hook_piece_of_text#u????}
        _hook_code=${_hook_piece_of_text%"$_hook_after"}
        _hook_utf16 $((0x${_hook_code#u}))
        [ -z "$_hook_after" ] || _hook_lone
        _hook_octets=$_hook_octets$_hook_after
        ;;
      *)
        _hook_lone
        case $_hook_piece_of_text in
          '') _hook_octets="$_hook_octets\\\\" _hook_plain=yes ;;
          [bfnrt]*) _hook_octets=$_hook_octets\\$_hook_piece_of_text ;;
          *) _hook_octets=$_hook_octets$_hook_piece_of_text ;; # \" and \/
        esac
        ;;
    esac
  done
  _hook_lone
}

# One unit of UTF-16. The first half of a pair waits in _hook_high for the second.
_hook_utf16() {
  if [ "$1" -ge 56320 ] && [ "$1" -le 57343 ] && [ "$_hook_high" ]; then
    set -- $((65536 + (_hook_high - 55296) * 1024 + $1 - 56320))
    _hook_high=''
  else
    _hook_lone
  fi
  if [ "$1" -lt 128 ]; then
    [ "$1" != 0 ] || _hook_nul=yes
    _hook_octet "$1"
  elif [ "$1" -lt 2048 ]; then
    _hook_octet $((192 + ($1 >> 6))) $((128 + ($1 & 63)))
  elif [ "$1" -ge 55296 ] && [ "$1" -le 56319 ]; then
    _hook_high=$1
  elif [ "$1" -ge 56320 ] && [ "$1" -le 57343 ]; then
    _hook_octet 239 191 189
  elif [ "$1" -lt 65536 ]; then
    _hook_octet $((224 + ($1 >> 12))) $((128 + ($1 >> 6 & 63))) $((128 + ($1 & 63)))
  else
    _hook_octet $((240 + ($1 >> 18))) $((128 + ($1 >> 12 & 63))) $((128 + ($1 >> 6 & 63))) $((128 + ($1 & 63)))
  fi
}

# Half a pair that stands alone is no character: U+FFFD.
_hook_lone() {
  [ -z "$_hook_high" ] || _hook_octet 239 191 189
  _hook_high=''
}

_hook_octet() {
  for _hook_byte; do
    _hook_octets=$_hook_octets\\0$((_hook_byte >> 6))$((_hook_byte >> 3 & 7))$((_hook_byte & 7))
  done
}

# Between these, an unquoted variable is cut at `$1`, and nothing in it is a pattern of file names.
_hook_split_at() {
  _hook_ifs=$IFS
  case $- in *f*) _hook_glob=no ;; *) _hook_glob=yes ;; esac
  set -f
  IFS=$1
}

_hook_split_no_more() {
  IFS=$_hook_ifs
  [ $_hook_glob = no ] || set +f
}

# --- The hook

# Answers until the daemon has no more questions. Requests come from 4 and replies go to 3, where no command can reach them.
run() {
  set +ea
  exec 3>&1 1>&2 4<&0 </dev/null
  _hook_said=$(mktemp) || exit 75
  while IFS= read -r _hook_request <&4; do
    request=$_hook_request
    case $request in
      *'"event":"'*)
        event=${request#*'"event":"'}
        event=${event%%'"'*}
        ;;
      *) event='' ;;
    esac
    case $event in
      hello) _hook_hello ;;
      '' | *[!a-z_]*)
        log error "a line of ${#request} characters that is no request: answered with defer"
        _hook_line=defer
        ;;
      *) _hook_ask ;;
    esac
    printf '%s\n' "$_hook_line" >&3
  done
  rm -f -- "$_hook_said"
}

# _hook_line: the reply to $event.
_hook_ask() {
  if ! command -v "on_$event" >/dev/null; then
    _hook_line=accept
    case $event in auth | deliver | deliver_mime)
      log error "there is no function on_$event: answered with defer. It needs one, or does not belong into \`events\`" \
        'of the configuration'
      _hook_line=defer
      ;;
    esac
    return 0
  fi
  : >"$_hook_said"
  (
    exec 3>&- 4<&-
    set -e
    "on_$event"
  )
  _hook_status=$?
  IFS= read -r _hook_line <"$_hook_said"
  case $_hook_status:$event:$_hook_line in
    0:auth:)
      log error 'on_auth has decided nothing: answered with defer. It must say `accept` to let somebody in'
      _hook_line=defer
      ;;
    0:*:) _hook_line=accept ;;
    0:* | *:*:reject* | *:*:defer* | *:*:close*) ;;
    *)
      log error "on_$event has failed with status $_hook_status: answered with defer"
      _hook_line=defer
      ;;
  esac
}

# _hook_line: what this hook says of itself.
_hook_hello() {
  if command -v on_hello >/dev/null && ! on_hello 3>&- 4<&-; then
    _hook_line='{"ready":false,"text":"on_hello has failed: see the log"}'
    return 0
  fi
  _hook_line=''
  for _hook_event in $_hook_events; do
    command -v "on_$_hook_event" >/dev/null && _hook_line="$_hook_line,\"$_hook_event\""
  done
  _hook_line="\"events\":[${_hook_line#,}]"
  command -v on_reset >/dev/null || _hook_line="$_hook_line,\"decline\":[\"reset\"]"
  case ${0##*/} in *[!A-Za-z0-9._-]*) ;; *) _hook_line="\"name\":\"${0##*/}\",$_hook_line" ;; esac
  _hook_line="{\"ready\":true,$_hook_line${hook_reply:+,$hook_reply}}"
}
