# Sourced by the scripts: what they say, and the Debian packages they need.

# Progress goes to standard error; results only go to standard output.
say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
  say "$*"
  exit 1
}

need_swift() {
  command -v swift >/dev/null ||
    die "needs Swift 6.2 or newer on PATH: https://www.swift.org/install/linux"
}

# Installs the packages of the list that are missing; does nothing when all are there.
need_packages() {
  missing=
  for package in "$@"; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' ||
      missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  [ "$(id -u)" = 0 ] || die "missing packages; run as root once: apt-get install$missing"
  say "installing$missing"
  run_quietly apt-get update -q
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive run_quietly \
    apt-get install -y -q --no-install-recommends $missing
}

# Runs a command and shows what it printed only when it fails.
run_quietly() {
  log=$(mktemp)
  if "$@" >"$log" 2>&1; then
    rm -f "$log"
  else
    status=$?
    cat "$log" >&2
    rm -f "$log"
    die "failed with status $status: $*"
  fi
}
