#!/usr/bin/env bash
# with_postgres.sh COMMAND… runs COMMAND with KEHU_TEST_POSTGRES naming a PostgreSQL server, and returns its exit code.
#
# A server that the variable already names is used as it is. Otherwise a private one is started in a temporary
# directory, on a free port of the loopback address, and removed afterwards, also after Ctrl-C. It runs with fsync
# off: its data is thrown away, so the tests prove what PostgreSQL answers, not what survives a power cut. kehu
# refuses such a server unless KEHU_ALLOW_UNSAFE_POSTGRES says otherwise, which is set here.
#
# When COMMAND never connected to the server, it did not test PostgreSQL, and that is a failure.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"
[ $# -gt 0 ] || die "usage: scripts/with_postgres.sh COMMAND…"

# Where Debian, Red Hat, Homebrew and others keep the server's programs; the newest version first.
postgres_bin() {
  local dir
  while read -r dir; do
    if [ -x "$dir/initdb" ] && [ -x "$dir/pg_ctl" ] && [ -x "$dir/psql" ]; then
      printf '%s\n' "$dir"
      return 0
    fi
  done < <(
    printf '%s\n' /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin | sort -rV
    dirname "$(command -v initdb || echo /nonexistent/initdb)"
  )
  return 1
}

find_postgres() {
  bin=$(postgres_bin) || { apt_install postgresql && bin=$(postgres_bin); } ||
    die "没有找到 PostgreSQL 服务端。请安装 postgresql，或用 KEHU_TEST_POSTGRES 指定一个测试用的服务器。" \
      "No PostgreSQL server was found. Install postgresql, or name one for tests in KEHU_TEST_POSTGRES."
}

# PostgreSQL refuses to run as root.
unprivileged() {
  if [ "$(id -u)" = 0 ]; then runuser -u "$owner" -- "$@"; else "$@"; fi
}

dir=
stop_postgres() {
  local code=$?
  trap - EXIT
  if [ -n "$dir" ]; then
    unprivileged "$bin/pg_ctl" -D "$dir/data" -m immediate -w stop >/dev/null 2>&1 || true
    rm -rf -- "$dir"
  fi
  exit "$code"
}

start_postgres() {
  owner=$(id -un)
  if [ "$owner" = root ]; then
    owner=postgres
    id "$owner" >/dev/null 2>&1 || owner=nobody
  fi
  trap stop_postgres EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  cd /
  dir=$(unprivileged env TMPDIR=/tmp mktemp -d /tmp/kehu-postgres.XXXXXX)
  local password port attempt
  password=$(od -An -N16 -tx1 /dev/urandom | tr -d ' \n')
  unprivileged sh -c 'umask 077; cat >"$1"' sh "$dir/password" <<<"$password"
  unprivileged "$bin/initdb" -D "$dir/data" --username=kehu --pwfile="$dir/password" --auth-host=password \
    --auth-local=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync >"$dir.log" 2>&1 || {
    cat "$dir.log" >&2
    rm -f "$dir.log"
    die "initdb failed"
  }
  rm -f "$dir.log"
  unprivileged sh -c 'cat >>"$1"' sh "$dir/data/postgresql.conf" <<CONF
listen_addresses = '127.0.0.1'
unix_socket_directories = '$dir'
max_connections = 200
fsync = off
synchronous_commit = off
full_page_writes = off
CONF
  for attempt in 1 2 3 4 5; do
    port=$(free_port)
    if unprivileged "$bin/pg_ctl" -D "$dir/data" -l "$dir/log" -o "-p $port" -t 60 -w start >/dev/null 2>&1; then
      export KEHU_TEST_POSTGRES="postgres://kehu:$password@127.0.0.1:$port/postgres"
      cd - >/dev/null
      say "PostgreSQL $("$bin/postgres" --version | cut -d' ' -f3) on port $port, private, fsync off"
      return 0
    fi
    complain "PostgreSQL did not start on port $port, attempt $attempt"
  done
  unprivileged tail -n 20 "$dir/log" >&2 || true
  die "PostgreSQL did not start"
}

query() { "$psql" -XAtq -v ON_ERROR_STOP=1 -d "$KEHU_TEST_POSTGRES" -c "$1"; }

require_python
if [ -n "${KEHU_TEST_POSTGRES:-}" ]; then
  have psql || apt_install postgresql-client || die "psql is needed to watch the server in KEHU_TEST_POSTGRES"
  psql=$(command -v psql)
  query 'select 1' >/dev/null || die "the server in KEHU_TEST_POSTGRES does not answer"
else
  find_postgres
  psql=$bin/psql
  start_postgres
fi

# Sessions of clients in the named database. Background workers of the server do not count.
sessions() {
  query 'select sum(sessions) from pg_stat_database where datname = current_database()'
}
export KEHU_ALLOW_UNSAFE_POSTGRES=1
before=$(sessions)
code=0
"$@" || code=$?
sleep 0.5 # the server counts a session a moment after its end
connected=$(($(sessions) - before - 1))
say "PostgreSQL: $connected connections from: $*"
if [ "$code" = 0 ] && [ "$connected" -le 0 ]; then
  complain "the command passed without using PostgreSQL"
  code=1
fi
exit "$code"
