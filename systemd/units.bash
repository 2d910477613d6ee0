# What systemd/install and systemd/uninstall share. Sourced by bash.

units=(hooksmtpd.service hooksmtpd-activated.service hooksmtpd-activated.socket hooksmtpd-unprivileged.service
  hooksmtpd-unprivileged.socket)

# use_unit NAME: this one serves, now and at every boot, and no other. Returns once it is ready.
use_unit() {
  local one others=()
  for one in "${units[@]}"; do
    case $one in
      "$1".service | "$1".socket) ;;
      *) others+=("$one") ;;
    esac
  done
  systemctl daemon-reload
  systemctl --quiet disable --now "${others[@]}"
  systemctl --quiet enable "$1.service" # its socket, too
  systemctl reset-failed "${units[@]}" 2>/dev/null || true
  systemctl restart "$1.service"
}
