#!/usr/bin/env bash
# Runs schemathesis with all checks against a fresh server, as administrator and as staff, following the server's own
# OpenAPI document. Reads KEHU_BIN (default target/debug/kehu), EXAMPLES (per operation and phase, default 20) and
# SEED (default 1, so that a failure can be repeated). The last line is `N passed, N failed`, counted in operations.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

require_python
kehu=$(realpath "${KEHU_BIN:-$(target_dir)/debug/kehu}")
[ -x "$kehu" ] || die "$kehu does not exist; build it with: cargo build -p kehu"

config=$PWD/scripts/schemathesis.toml
version=$(sed -n 's/^schemathesis==//p' scripts/requirements.txt)
venv=$PWD/.cache/schemathesis-$version
install_schemathesis() {
  mkdir -p .cache
  exec 9>.cache/schemathesis.lock
  if have flock; then flock 9; fi
  [ -e "$venv/complete" ] && return 0
  rm -rf "$venv"
  python3 -m venv "$venv" 2>/dev/null || { apt_install python3-venv && python3 -m venv --clear "$venv"; } || return 1
  "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 5 -r scripts/requirements.txt || return 1
  touch "$venv/complete"
}
install_schemathesis || die "schemathesis $version could not be installed from PyPI"
exec 9>&-

work=$(mktemp -d "${TMPDIR:-/tmp}/kehu-api.XXXXXX")
server=
finish() {
  local code=$?
  trap - EXIT
  if [ -n "$server" ]; then
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
  fi
  rm -rf -- "$work"
  exit "$code"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
"$kehu" setup --data "$work/data" --company 接口测试公司 --admin admin --password-stdin <<<"$password"
"$kehu" user add --data "$work/data" --username staff --name 员工 --role staff --password-stdin <<<"$password"
new_token() { "$kehu" token new --data "$work/data" --user "$1" --name schemathesis | tail -n 1; }
admin_token=$(new_token admin)
staff_token=$(new_token staff)

# Succeeds once the server answers, fails when it ended or does not answer within a minute.
wait_until_ready() {
  local deadline=$((SECONDS + 60))
  while [ "$SECONDS" -lt "$deadline" ]; do
    kill -0 "$server" 2>/dev/null || return 1
    python3 -c 'import sys, urllib.request as r; r.urlopen(sys.argv[1], timeout=5)' "$url/readyz" 2>/dev/null && return 0
    sleep 0.1
  done
  return 1
}
for attempt in 1 2 3; do
  port=$(free_port)
  url=http://127.0.0.1:$port
  "$kehu" serve --data "$work/data" --listen "127.0.0.1:$port" >"$work/server.log" 2>&1 &
  server=$!
  wait_until_ready && break
  kill "$server" 2>/dev/null || true
  wait "$server" 2>/dev/null || true
  server=
  complain "the server did not become ready on port $port, attempt $attempt"
done
if [ -z "$server" ]; then
  tail -n 30 "$work/server.log" >&2
  exit 1
fi

# schemathesis keeps its notes in the current directory; they go with the rest.
cd "$work"
passed=0 failed=0
# attack ROLE TOKEN: one run of schemathesis; adds its counts. One worker: with more, hypothesis can fail in Python 3.11
# with "AST constructor recursion depth mismatch", for the parser counts its depth across threads.
attack() {
  local role=$1 token=$2 report=$work/$1.xml code=0 counts ok bad
  say "--- as $role"
  "$venv/bin/schemathesis" --config-file "$config" run "$url/api/openapi.json" --checks all --mode all --workers 1 \
    --max-examples "${EXAMPLES:-20}" --seed "${SEED:-1}" --suppress-health-check all --continue-on-failure \
    --request-timeout 20 --header "Authorization: Bearer $token" \
    --report junit --report-junit-path "$report" || code=$?
  counts=$(python3 - "$report" <<'PYTHON'
import sys, xml.etree.ElementTree as tree
cases = list(tree.parse(sys.argv[1]).iter("testcase"))
bad = sum(1 for case in cases if case.find("failure") is not None or case.find("error") is not None)
skipped = sum(1 for case in cases if case.find("skipped") is not None)
print(len(cases) - bad - skipped, bad)
PYTHON
  ) || counts="0 0"
  read -r ok bad <<<"$counts"
  if [ "$bad" = 0 ] && { [ "$code" != 0 ] || [ "$ok" = 0 ]; }; then
    say "FAILED: schemathesis ended with $code after $ok operations"
    bad=1
  fi
  passed=$((passed + ok)) failed=$((failed + bad))
}
attack administrator "$admin_token"
attack staff "$staff_token"

if ! kill -0 "$server" 2>/dev/null; then
  say "FAILED: the server ended during the run"
  failed=$((failed + 1))
fi
if [ "$failed" != 0 ]; then
  say "--- the last lines of the server's log"
  tail -n 30 "$work/server.log"
fi
say "$passed passed, $failed failed"
[ "$failed" = 0 ]
