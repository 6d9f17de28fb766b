#!/usr/bin/env bash
# Sees to what the tests need besides Go: ZooKeeper (with a Java runtime) for the
# store, election and e2e tests; prometheus, which discovers instances in an e2e
# test; clang and lld for policy modules in C, with and without wasi-libc, rustc with
# its library for WASM and cargo for those in Rust, node and npm, with which it gets the
# compiler of those in AssemblyScript, and wabt for one that is WebAssembly text; Docker,
# of which it starts the daemon, and a static busybox, of which the tests make their
# image; curl and jq for the scripts of the documentation. On Debian and as root it
# installs what is missing; elsewhere it
# says what to install and fails.
set -euo pipefail

# rust tells whether a Rust has the library for WASM: Debian's or the one in the path.
# The tests look for it in the same order.
rust() {
  local bin dir
  for bin in /usr/bin/ ''; do
    command -v "${bin}cargo" >/dev/null || continue
    dir=$("${bin}rustc" --print target-libdir --target wasm32-unknown-unknown 2>/dev/null) && [ -d "$dir" ] && return 0
  done
  return 1
}

# node20 tells whether there is one that is new enough for the compiler of AssemblyScript.
node20() {
  command -v npm >/dev/null && node -e 'process.exit(parseInt(process.versions.node) < 20 ? 1 : 0)' 2>/dev/null
}

# assemblyscript gets that compiler, in the version that is pinned, unless it is there.
assemblyscript() {
  local folder log
  folder=$(dirname "$0")/../sdk/assemblyscript
  [ "$folder/node_modules/.package-lock.json" -nt "$folder/package-lock.json" ] && return 0
  if ! node20; then
    echo "needs: node 20 or newer, and npm, for policy modules in AssemblyScript. Install them and try again." >&2
    return 1
  fi
  echo "needs: npm ci in sdk/assemblyscript"
  log=$(mktemp)
  if npm ci --prefix "$folder" >"$log" 2>&1; then
    rm -f "$log"
    return 0
  fi
  tail -n 20 "$log" >&2
  echo "needs: npm could not get the compiler of AssemblyScript" >&2
  return 1
}

missing=()
[ -e /usr/share/java/zookeeper.jar ] || missing+=(zookeeper)
command -v java >/dev/null || missing+=(default-jre-headless)
command -v prometheus >/dev/null || missing+=(prometheus)
command -v clang >/dev/null || missing+=(clang)
command -v wasm-ld >/dev/null || missing+=(lld)
command -v wat2wasm >/dev/null || missing+=(wabt)
[ -e /usr/include/wasm32-wasi/stdlib.h ] || missing+=(wasi-libc)
clang -print-file-name=lib/wasi/libclang_rt.builtins-wasm32.a 2>/dev/null | grep -q ^/ || missing+=(libclang-rt-dev-wasm32)
rust || missing+=(rustc cargo libstd-rust-dev-wasm32)
node20 || missing+=(nodejs npm)
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
  assemblyscript && daemon
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
    assemblyscript && daemon
    exit
  fi
  tail -n 20 "$log" >&2
fi
echo "needs: missing: ${missing[*]}. Install them (Debian: apt-get install ${missing[*]}) and try again." >&2
exit 1
