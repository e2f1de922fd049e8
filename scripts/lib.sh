# shellcheck shell=bash
# What the scripts share: talking, looking for tools, installing Debian packages. Sourced, never run.

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
# Machines set up with rustup have cargo here, also where no profile is read.
export PATH="$PATH:${CARGO_HOME:-$HOME/.cargo}/bin"

say() { printf '%s\n' "$*"; }
complain() { printf '%s\n' "$@" >&2; }
die() {
  complain "$@"
  exit 1
}
have() { command -v "$1" >/dev/null 2>&1; }

# Runs a command as root, directly or through sudo. Without a terminal sudo may not ask for a password.
as_root() {
  if [ "$(id -u)" = 0 ]; then
    "$@"
  elif [ -t 0 ]; then
    sudo "$@"
  else
    sudo -n "$@"
  fi
}

can_install() {
  have apt-get && { [ "$(id -u)" = 0 ] || { have sudo && { [ -t 0 ] || sudo -n true 2>/dev/null; }; }; }
}

apt_is_updated=
# Installs Debian packages. Another apt may hold the lock and a mirror may fail once: both are waited out.
apt_install() {
  can_install || return 1
  say "正在安装 / installing: $*"
  local apt=(apt-get -q -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3) attempt
  for attempt in 1 2 3; do
    if [ -z "$apt_is_updated" ] && as_root "${apt[@]}" update >/dev/null; then apt_is_updated=yes; fi
    if as_root env DEBIAN_FRONTEND=noninteractive "${apt[@]}" install -y --no-install-recommends "$@" >/dev/null; then
      return 0
    fi
    complain "apt-get install $*: attempt $attempt failed"
    apt_is_updated=
    sleep $((attempt * 5))
  done
  return 1
}

# version_at_least HAVE WANT, by numbers between dots.
version_at_least() { [ "$(printf '%s\n%s\n' "$2" "$1" | sort -V | head -n 1)" = "$2" ]; }

wanted_rust() { sed -n 's/^rust-version = "\(.*\)"/\1/p' Cargo.toml; }

# Rust itself is never installed here: Debian's is too old, and a toolchain is its owner's choice.
require_rust() {
  local want found
  want=$(wanted_rust)
  { have rustc && have cargo; } ||
    die "没有找到 Rust。请按 https://rustup.rs 安装 Rust $want 或更新版本，然后重试。" \
      "Rust was not found. Install Rust $want or newer from https://rustup.rs, then try again."
  found=$(rustc --version | cut -d' ' -f2)
  version_at_least "${found%%-*}" "$want" ||
    die "Rust $found 太旧，需要 $want 或更新版本：请运行 rustup update。" \
      "Rust $found is too old; $want or newer is needed: run rustup update."
  have cc || have gcc || have clang || apt_install gcc libc6-dev ||
    die "没有找到 C 编译器（编译 SQLite 需要）。请安装 gcc，例如 apt-get install gcc libc6-dev。" \
      "No C compiler was found (SQLite is built from source). Install gcc, e.g. apt-get install gcc libc6-dev."
}

node_is_recent() { have node && have npm && [ "$(node -p 'process.versions.node.split(".")[0]')" -ge 20 ]; }

require_node() {
  node_is_recent && return 0
  have node || apt_install nodejs npm || true
  node_is_recent && return 0
  die "需要 Node.js 20 或更新版本及 npm（当前：$(node --version 2>/dev/null || echo 无)）。请从 https://nodejs.org 安装后重试。" \
    "Node.js 20 or newer with npm is needed (found: $(node --version 2>/dev/null || echo none)). Install it from https://nodejs.org, then try again."
}

require_python() {
  have python3 || apt_install python3 || true
  { have python3 && python3 -c 'import tomllib' 2>/dev/null; } ||
    die "需要 Python 3.11 或更新版本（仅测试需要）。请安装 python3 后重试。" \
      "Python 3.11 or newer is needed (for the tests only). Install python3, then try again."
}

# npm_install DIR: exactly what the lock file names, once per change of the lock file, running no package's scripts.
npm_install() {
  local dir=$1
  if [ ! -e "$dir/node_modules/.package-lock.json" ] ||
    [ "$dir/package-lock.json" -nt "$dir/node_modules/.package-lock.json" ]; then
    npm ci --prefix "$dir" --ignore-scripts --no-audit --no-fund --loglevel=error || return 1
    touch "$dir/node_modules/.package-lock.json"
  fi
}

# A port nobody listens on at this moment. Whoever uses it must be ready to try another.
free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

target_dir() { printf '%s\n' "${CARGO_TARGET_DIR:-target}"; }
