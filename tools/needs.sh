#!/usr/bin/env bash
# Sees to what the tests need besides Go: ZooKeeper (with a Java runtime) for the
# store, election and e2e tests; prometheus, which discovers instances in an e2e
# test; clang and lld for a policy module in C. On Debian and as root it installs
# what is missing; elsewhere it says what to install and fails.
set -euo pipefail

missing=()
[ -e /usr/share/java/zookeeper.jar ] || missing+=(zookeeper)
command -v java >/dev/null || missing+=(default-jre-headless)
command -v prometheus >/dev/null || missing+=(prometheus)
command -v clang >/dev/null || missing+=(clang)
command -v wasm-ld >/dev/null || missing+=(lld)
[ ${#missing[@]} -eq 0 ] && exit 0

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
    exit 0
  fi
  tail -n 20 "$log" >&2
fi
echo "needs: missing: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]}) and try again." >&2
exit 1
