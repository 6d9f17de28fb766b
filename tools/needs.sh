#!/usr/bin/env bash
# Sees to what the tests need besides Go: ZooKeeper (with a Java runtime) for the
# store, election and e2e tests; prometheus, which discovers instances in an e2e
# test; clang and lld for a policy module in C; Docker, of which it starts the
# daemon, and a static busybox, of which the tests make their image; curl and jq for
# the scripts of the documentation. On Debian and as root it installs what is
# missing; elsewhere it says what to install and fails.
set -euo pipefail

missing=()
[ -e /usr/share/java/zookeeper.jar ] || missing+=(zookeeper)
command -v java >/dev/null || missing+=(default-jre-headless)
command -v prometheus >/dev/null || missing+=(prometheus)
command -v clang >/dev/null || missing+=(clang)
command -v wasm-ld >/dev/null || missing+=(lld)
command -v dockerd >/dev/null || missing+=(docker.io)
command -v docker >/dev/null || missing+=(docker.io)
[ -x /bin/busybox ] || missing+=(busybox-static)
command -v curl >/dev/null || missing+=(curl)
command -v jq >/dev/null || missing+=(jq)

# daemon starts Docker where nobody else has. It outlives this script.
daemon() {
  docker info >/dev/null 2>&1 && return 0
  if [ "$(id -u)" -ne 0 ]; then
    echo "needs: no Docker daemon answers. Start one and try again." >&2
    return 1
  fi
  echo "needs: starting dockerd"
  local log=/tmp/pacer-dockerd.log
  setsid dockerd >"$log" 2>&1 </dev/null &
  for _ in $(seq 300); do
    docker info >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  tail -n 20 "$log" >&2
  echo "needs: dockerd did not start within 30 s" >&2
  return 1
}

if [ ${#missing[@]} -eq 0 ]; then
  daemon
  exit
fi

sudo=
if [ "$(id -u)" -ne 0 ]; then
  sudo='sudo -n'
  $sudo true 2>/dev/null || sudo=none
fi
if command -v apt-get >/dev/null && [ "$sudo" != none ]; then
  echo "needs: installing ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  log=$(mktemp)
  if { $sudo apt-get update -q && $sudo apt-get install -q -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
    rm -f "$log"
    daemon
    exit
  fi
  tail -n 20 "$log" >&2
fi
echo "needs: missing: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]}) and try again." >&2
exit 1
