# What daemon/run, tests/run and systemd/install share: the Debian packages, and one build folder per user.
# Sourced by bash with `root` set to the top of the clone.

# To build and to run. Everything is in Debian 12 itself.
build_packages=(
  g++ meson ninja-build pkg-config
  libcli11-dev libcurl4-openssl-dev libevent-dev libfmt-dev libgmime-3.0-dev libidn-dev libidn2-dev libseccomp-dev libspdlog-dev libsqlite3-dev
  libssl-dev libtomlplusplus-dev libxml2-dev tcl-dev zlib1g-dev
  nlohmann-json3-dev
)

# To test, besides.
test_packages=(
  doctest-dev python3 python3-jsonschema python3-pytest
  openssl swaks curl msmtp nodejs node-nodemailer
  perl libnet-ssleay-perl libio-socket-ssl-perl libauthen-sasl-perl
  tcl tcllib
  busybox chromium jq mypy node-typescript mandoc
  fish iproute2 strace systemd util-linux zsh
  debootstrap systemd-container
)

# For systemd/package, besides.
package_packages=(build-essential debhelper dpkg-dev)

# For tests/long/run, besides: fuzzing, and a machine with a kernel of its own.
fuzz_packages=(clang-19 libclang-rt-19-dev)
kernel_packages=(apt cpio dpkg qemu-system-x86)

# For tests/bench/run, besides. What smtp-sink and Postfix are linked with comes along.
bench_packages=(doctest-dev python3 iproute2 tcl tcllib util-linux openssl libdb5.3 libicu72 libnsl2 libsasl2-2)

# Leaves when every package named is there. Root installs what is missing, others ask sudo, or say what root must run.
need_packages() {
  local missing=() package
  for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null)" = installed ] || missing+=("$package")
  done
  [ "${#missing[@]}" -gt 0 ] || return 0
  local become_root=()
  if [ "$(id -u)" != 0 ]; then
    if ! command -v sudo >/dev/null || { [ ! -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      printf '%s\n' "$0: Debian packages are missing. As root, run:" \
        "  apt-get update && apt-get install --no-install-recommends ${missing[*]}" >&2
      exit 69 # EX_UNAVAILABLE
    fi
    become_root=(sudo)
  fi
  echo "installing: ${missing[*]}" >&2
  "${become_root[@]}" apt-get update -q >&2
  "${become_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends "${missing[@]}" >&2
}

# The folder NAME below the clone if it is free or ours, else NAME-USER: root and the owner of a clone may build in turn,
# and neither runs what the other could have changed.
build_folder() {
  local folder=$root/$1
  if [ -e "$folder" ] && [ ! -O "$folder" ]; then folder=$folder-$(id -un 2>/dev/null || id -u); fi
  mkdir -p "$folder" || exit 73 # EX_CANTCREAT
  if [ ! -O "$folder" ]; then
    echo "$0: $folder belongs to somebody else" >&2
    exit 73
  fi
  echo "$folder"
}

# configure FOLDER OPTION...: meson, for a new folder or for one that was set up with other options.
configure() {
  local folder=$1 wanted
  shift
  wanted=$*
  if [ ! -e "$folder/build.ninja" ]; then
    flock "$folder" meson setup "$folder" "$root" "$@" >&2
  elif [ "$(cat "$folder/options" 2>/dev/null)" != "$wanted" ]; then
    flock "$folder" meson configure "$folder" "$@" >&2
  fi
  printf '%s\n' "$wanted" >"$folder/options"
}

# npm_packages SOURCE FOLDER: what SOURCE/package-lock.json names, each as its hash says, into FOLDER/npm. Without a network,
# or without npm, what wants them is skipped. What a package wants beside it (Cypress, of its plugin) is left out.
npm_packages() {
  local source=$1 folder=$2/npm
  cmp -s "$source/package-lock.json" "$folder/node_modules/installed-lock.json" && return
  mkdir -p "$folder"
  cp "$source/package.json" "$source/package-lock.json" "$folder"
  if (cd "$folder" && npm ci --legacy-peer-deps --ignore-scripts --no-audit --no-fund) >&2; then
    cp "$source/package-lock.json" "$folder/node_modules/installed-lock.json"
  else
    echo "$0: the npm packages of $source could not be installed" >&2
  fi
}

# compile FOLDER TARGET...: quiet when there is nothing to do. One at a time may build in a folder.
compile() {
  local folder=$1
  shift
  flock "$folder" ninja -C "$folder" "$@" >&2
}

# The programs; what else ninja would build are tests.
programs=(
  daemon/launcher/hooksmtpd daemon/worker/worker daemon/keyholder/keyholder daemon/tls/tls daemon/ctl/hooksmtpctl
  daemon/sendmail/sendmail daemon/passwd/passwd hooks/inbox/inbox hooks/maildir/maildir hooks/tcl/tcl
)
