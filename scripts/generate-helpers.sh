#!/bin/sh
# Writes Sources/EBPFObject/Tables/HelperNames.swift from the helper list in linux/bpf.h
# (Debian: linux-libc-dev). With --check it compares and changes nothing.
set -eu
cd "$(dirname "$0")/.."
header=${LINUX_BPF_H:-/usr/include/linux/bpf.h}
output=Sources/EBPFObject/Tables/HelperNames.swift

generate() {
  # Before 6.2 the list was `FN(name),`; since then `FN(name, number, ##ctx)`.
  names=$(sed -n 's/^[[:space:]]*FN(\([a-z0-9_]*\)[,)].*/\1/p' "$header")
  # The last two helpers ever added (6.2), for headers that are older.
  for late in cgrp_storage_get cgrp_storage_delete; do
    echo "$names" | grep -qx "$late" || names="$names
$late"
  done
  echo '// Made by scripts/generate-helpers.sh from linux/bpf.h; do not edit.'
  echo
  echo 'extension HelperTable {'
  echo '  /// The name of every helper, by number; number 0 is no helper.'
  echo '  static let names: [String] = ['
  echo "$names" | sed 's/.*/    "&",/'
  echo '  ]'
  echo '}'
}

if [ "${1:-}" = --check ]; then
  generate | cmp - "$output"
else
  generate >"$output"
fi
