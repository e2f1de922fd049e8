#!/usr/bin/env bash
# Deletes a data folder of kehu after its name was typed back. Refuses folders that are not one.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "$0")/lib.sh"

data=${1:?usage: scripts/clean_data.sh FOLDER}
if [ ! -d "$data" ]; then
  say "$data 不存在，无需清理 / $data does not exist, nothing to do"
  exit 0
fi
if [ -L "$data" ] || ! compgen -G "$data/*.sqlite" >/dev/null; then
  die "$data 不是 kehu 的数据目录，未作任何更改 / $data is not a data folder of kehu; nothing was changed"
fi
say "将永久删除 $data 中的全部客户数据。请先停止 kehu。"
say "This deletes every customer in $data for good. Stop kehu first."
read -r -p "请输入 $data 以确认 / type $data to confirm: " answer || answer=
[ "$answer" = "$data" ] || die "未确认，未作任何更改 / not confirmed; nothing was changed"
rm -rf -- "$data"
say "已删除 / deleted"
