#!/usr/bin/env bash
# Proves the project. `make test` runs all of it; each part can be run alone:
#
#   scripts/test.sh [lint|deny|rust|fast|e2e|api]…
#
#   lint   rustfmt, clippy, documentation, scripts, docs/dependencies.md, the floors of ARCHITECTURE.md
#   deny   licences and sources of every dependency
#   rust   all Rust tests, on SQLite and on PostgreSQL (with_postgres.sh), and the examples in the documentation
#   fast   the same tests on SQLite only; not part of the whole
#   e2e    browser journeys in Chromium against a real server
#   api    schemathesis against a real server, for both roles
#
# What is missing is installed where that can be done (Debian). Every part prints its time; the last line of all
# is `N passed, N failed`. A part that ran nothing has failed.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

export CARGO_TERM_COLOR=never NO_COLOR=1
locked=()
if [ -n "${CI:-}" ]; then
  export CARGO_INCREMENTAL=0
  locked=(--locked)
fi

# Everything temporary of every part lives below one directory, so that nothing stays behind however this ends.
work=$(mktemp -d "${TMPDIR:-/tmp}/kehu-test.XXXXXX")
export TMPDIR=$work
trap 'rm -rf -- "$work"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

passed=0 failed=0

# tally PASSED FAILED CODE: adds what a runner counted. A runner that failed without naming a failed test, or that
# passed without a test, counts as one failure.
tally() {
  local ok=${1:-0} bad=${2:-0} code=$3
  if [ "$code" != 0 ] && [ "$bad" = 0 ]; then
    say "FAILED: exit code $code"
    bad=1
  elif [ "$code" = 0 ] && [ $((ok + bad)) = 0 ]; then
    say "FAILED: nothing was run"
    bad=1
  fi
  passed=$((passed + ok))
  failed=$((failed + bad))
}

# logged COMMAND…: shows the output and keeps it in $log; its exit code is in $code.
log=$work/log
logged() {
  code=0
  "$@" 2>&1 | tee "$log" || code=${PIPESTATUS[0]}
}

# check NAME COMMAND…: a step without tests of its own; counts as one.
check() {
  local name=$1 started=$SECONDS
  shift
  logged "$@"
  say "$name: $([ "$code" = 0 ] && echo ok || echo FAILED) ($((SECONDS - started)) s)"
  tally "$((code == 0))" "$((code != 0))" "$code"
}

# requires FUNCTION: calls something that may end the script when a tool is missing; here it ends only the part.
requires() {
  ("$@") || {
    tally 0 1 1
    return 1
  }
}

# skip WHAT WHY: says so; where nobody is looking it is a failure.
skip() {
  say "SKIPPED: $1: $2"
  [ -z "${CI:-}" ] || failed=$((failed + 1))
}

# Sum of the numbers that stand before a word in the lines of $log matching a pattern.
sum_before() {
  sed -n "/$2/p" "$log" | { grep -oE "[0-9]+ $1\b" || true; } | awk '{ n += $1 } END { print n + 0 }'
}

part_lint() {
  requires require_rust && requires require_python || return 0
  check rustfmt cargo fmt --all --check
  check clippy cargo clippy "${locked[@]}" --workspace --all-targets --quiet -- -D warnings
  check documentation env RUSTDOCFLAGS='-D warnings' cargo doc "${locked[@]}" --workspace --no-deps --quiet
  check 'docs/dependencies.md' python3 scripts/check_dependencies.py
  check floors python3 scripts/check_floors.py
  have shellcheck || apt_install shellcheck || true
  if have shellcheck; then
    check scripts shellcheck -x -S warning scripts/*.sh .ci/run
  else
    skip scripts 'shellcheck is not installed'
  fi
}

# cargo-deny of the machine, or one built for this clone: unoptimised, which takes a third of the time and is fast enough.
cargo_deny_version=0.20.2
require_cargo_deny() {
  have cargo-deny && return 0
  local root=.cache/cargo-deny-$cargo_deny_version
  if [ ! -x "$root/bin/cargo-deny" ]; then
    say "building cargo-deny $cargo_deny_version, once"
    cargo install --quiet --locked --debug --root "$root" --target-dir "$work/cargo-deny" \
      "cargo-deny@$cargo_deny_version" || die "cargo-deny could not be built"
  fi
}

part_deny() {
  requires require_rust && requires require_cargo_deny || return 0
  PATH="$PATH:$PWD/.cache/cargo-deny-$cargo_deny_version/bin"
  local what
  for what in licenses sources bans; do
    check "$what" cargo deny "${locked[@]}" check "$what"
  done
}

# Without a Chinese font nothing is printed, and every screenshot shows boxes.
has_chinese_font() {
  [ -n "$(find /usr/share/fonts /usr/local/share/fonts -iname '*cjk*' -print -quit 2>/dev/null)" ] ||
    { have fc-list && [ -n "$(fc-list :lang=zh-cn)" ]; }
}
want_chinese_font() {
  has_chinese_font || apt_install fonts-noto-cjk || true
  has_chinese_font || skip 'Chinese font' 'fonts-noto-cjk is not installed'
}

rust_tests() { # rust_tests [WRAPPER…]
  requires require_rust || return 0
  want_chinese_font
  if have cargo-nextest; then
    logged "$@" cargo nextest run "${locked[@]}" --workspace --no-fail-fast
    local summary='^ *Summary \['
    local bad
    bad=$(($(sum_before failed "$summary") + $(sum_before 'timed out' "$summary") + $(sum_before 'exec failed' "$summary")))
    tally "$(sum_before passed "$summary")" "$bad" "$code"
  else
    logged "$@" cargo test "${locked[@]}" --workspace --no-fail-fast --lib --bins --tests
    tally "$(sum_before passed '^test result:')" "$(sum_before failed '^test result:')" "$code"
  fi
  logged cargo test "${locked[@]}" --workspace --no-fail-fast --doc
  local examples
  examples=$(sum_before passed '^test result:')
  # A workspace may have no examples in its documentation, so none is no failure here.
  if [ "$code" != 0 ] || [ "$examples" != 0 ]; then
    tally "$examples" "$(sum_before failed '^test result:')" "$code"
  fi
}

# The Rust tests build the program beside themselves; building it alone would choose other features and begin anew.
is_built=
part_rust() {
  rust_tests scripts/with_postgres.sh
  is_built=1
}
part_fast() {
  rust_tests env -u KEHU_TEST_POSTGRES
  is_built=1
}

build_kehu() {
  requires require_rust && requires require_node || return 1
  if [ -z "$is_built" ] || [ ! -x "$(target_dir)/debug/kehu" ]; then
    logged cargo build "${locked[@]}" -p kehu
    if [ "$code" != 0 ]; then
      tally 0 1 "$code"
      return 1
    fi
  fi
  KEHU_BIN=${KEHU_BIN:-$(target_dir)/debug/kehu}
  KEHU_BIN=$(realpath "$KEHU_BIN")
  export KEHU_BIN
}

find_chromium() {
  local name
  for name in "${CHROMIUM:-}" chromium chromium-browser google-chrome; do
    if [ -n "$name" ] && have "$name"; then
      CHROMIUM=$(command -v "$name")
      export CHROMIUM
      return 0
    fi
  done
  return 1
}

require_chromium() {
  find_chromium || { apt_install chromium && find_chromium; } ||
    die "没有找到 Chromium。请安装 chromium，或用 CHROMIUM 指定其路径。" \
      "Chromium was not found. Install chromium, or name it in CHROMIUM."
}

part_e2e() {
  build_kehu || return 0
  requires require_chromium || return 0
  find_chromium
  want_chinese_font
  requires npm_install e2e || return 0
  logged npm --prefix e2e --silent test
  local skipped
  skipped=$(sed -n 's/^# \(skipped\|todo\) \([0-9]*\)$/\2/p' "$log" | awk '{ n += $1 } END { print n + 0 }')
  [ "$skipped" = 0 ] || skip 'browser tests' "$skipped tests skipped themselves"
  tally "$(sed -n 's/^# pass //p' "$log")" \
    "$(sed -n 's/^# \(fail\|cancelled\) \([0-9]*\)$/\2/p' "$log" | awk '{ n += $1 } END { print n + 0 }')" "$code"
}

part_api() {
  build_kehu || return 0
  logged scripts/schemathesis.sh
  local counts='^[0-9]* passed, [0-9]* failed$'
  tally "$(sum_before passed "$counts")" "$(sum_before failed "$counts")" "$code"
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(lint deny rust e2e api)
for part in "${parts[@]}"; do
  declare -F "part_$part" >/dev/null || die "usage: scripts/test.sh [lint|deny|rust|fast|e2e|api]…"
done

summary=()
for part in "${parts[@]}"; do
  say "=== $part"
  passed_before=$passed failed_before=$failed started=$SECONDS
  "part_$part"
  [ "$((passed + failed))" -gt "$((passed_before + failed_before))" ] || tally 0 0 0
  summary+=("$(printf '%-5s %5d passed %5d failed %5d s' "$part" \
    $((passed - passed_before)) $((failed - failed_before)) $((SECONDS - started)))")
done
say "==="
printf '%s\n' "${summary[@]}"
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
