#!/usr/bin/env bash
# Builds the release binary and serves it: what `make run` does. With --build-only, what `make build` does.
# Reads DATA (folder), LISTEN (ADDRESS:PORT) and DEMO (1 for a demonstration company) from the environment.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

require_rust
require_node

binary=$(target_dir)/release/kehu
first=
[ -e "$binary" ] || first=yes
if [ -n "$first" ]; then
  say "正在编译，第一次需要几分钟 / building; the first time takes some minutes"
fi
started=$SECONDS
cargo build --release -p kehu
if [ -n "$first" ]; then
  took=$((SECONDS - started))
  say "首次构建用时 $took 秒 / first build took $took s"
fi
[ "${1:-}" != --build-only ] || exit 0

arguments=(serve --data "${DATA:-./data}" --listen "${LISTEN:-127.0.0.1:8080}")
case ${DEMO:-} in '' | 0 | no | false) ;; *) arguments+=(--demo) ;; esac
exec "$binary" "${arguments[@]}"
