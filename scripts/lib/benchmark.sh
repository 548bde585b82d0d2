# Sourced by scripts/benchmark.sh: paired runs, medians of them, and the table.
# Expects $work (a scratch folder), $pairs (how many pairs), $peers (the C programs).

# pair NAME OURS PEER: runs two commands (each a function or a program with its arguments, in one
# word list separated by --) in turn, $pairs times; what they print gathers in $work/NAME.ours and
# $work/NAME.peer. One unmeasured pair goes first, so that both find their files in memory.
#   pair NAME OURS... -- PEER...
pair() {
  name=$1
  shift
  ours=
  while [ "$1" != -- ]; do
    ours="$ours $1"
    shift
  done
  shift
  : >"$work/$name.ours" >"$work/$name.peer"
  $ours >/dev/null || die "failed:$ours"
  "$@" >/dev/null || die "failed: $*"
  count=0
  while [ "$count" -lt "$pairs" ]; do
    $ours >>"$work/$name.ours" || die "failed:$ours"
    "$@" >>"$work/$name.peer" || die "failed: $*"
    count=$((count + 1))
  done
}

# figures FILE KEY: the values of a key, in the order of the runs.
figures() { awk -v key="$2" '$1 == key { print $2 }' "$work/$1"; }

# median FILE KEY: the middle one of a key's values.
median() {
  figures "$1" "$2" | sort -n | awk '{ v[NR] = $1 } END {
    if (NR == 0) exit 1
    print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
  }' || die "no $2 in $1"
}

# median_ratio NAME KEY: the middle one of the pairs' ratios, ours to the peer's.
median_ratio() {
  figures "$1.ours" "$2" >"$work/a"
  figures "$1.peer" "$2" >"$work/b"
  paste "$work/a" "$work/b" | awk '$2 > 0 { print $1 / $2 }' | sort -n |
    awk '{ v[NR] = $1 } END {
      if (NR == 0) exit 1
      print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2
    }' || die "no $2 in both sides of $1"
}

# row WHAT UNIT OURS PEER-NAME PEER RATIO BAR-TEXT [MET-CONDITION]: a line of the table. The
# condition is awk's, over `ours`, `peer` and `ratio`; without one the row is only information.
row() {
  met=
  if [ -n "${8:-}" ]; then
    met=$(awk -v ours="$3" -v peer="$5" -v ratio="$6" "BEGIN { print ($8) ? \"yes\" : \"no\" }")
    [ "$met" = yes ] || missed=$((missed + 1))
  fi
  printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$(quantity "$3" "$2")" \
    "${4:+$4 $(quantity "$5" "$2")}" "${6:+$(awk -v r="$6" 'BEGIN { printf "%.3g", r }')}" \
    "$7" "$met" | awk -F '\t' -v OFS='\t' '{
      for (i = 1; i <= NF; i++) if ($i == "") $i = "–"
      print
    }' >>"$work/table"
}

# paired_row WHAT UNIT NAME KEY PEER-NAME BAR-TEXT [MET-CONDITION]: the row of what `pair` measured.
paired_row() {
  row "$1" "$2" "$(median "$3.ours" "$4")" "$5" "$(median "$3.peer" "$4")" \
    "$(median_ratio "$3" "$4")" "$6" "${7:-}"
}

quotient() { awk -v a="$1" -v b="$2" 'BEGIN { print a / b }'; }

# quantity NUMBER UNIT: three digits with a unit that fits. Units: ns, ps, kb, bytes, per_second.
quantity() {
  awk -v n="$1" -v unit="$2" '
    function scaled(n, names, step,    count, name, i) {
      count = split(names, name, " ")
      for (i = 1; i < count && n >= step; i++) n /= step
      return sprintf(n >= 99.95 ? "%.0f %s" : n >= 9.995 ? "%.1f %s" : "%.2f %s", n, name[i])
    }
    BEGIN {
      if (unit == "ps") print scaled(n, "ps ns µs ms s", 1000)
      else if (unit == "ns") print scaled(n, "ns µs ms s", 1000)
      else if (unit == "kb") print scaled(n, "KiB MiB GiB", 1024)
      else if (unit == "bytes") print scaled(n, "B kB MB GB", 1000)
      else if (unit == "per_second") print scaled(n, "/s k/s M/s", 1000)
      else print n
    }'
}

# print_table: aligned columns, or Markdown with `--markdown`.
print_table() {
  {
    printf 'measurement\tours\tpeer\tratio\tbar\tmet\n'
    cat "$work/table"
  } | if [ "${1:-}" = --markdown ]; then
    awk -F '\t' '{ for (i = 1; i <= 6; i++) printf "| %s ", $i; print "|" }
      NR == 1 { print "|---|---|---|---|---|---|" }'
  else
    # Counted without the second and further bytes of UTF-8: not every awk knows characters.
    LC_ALL=C awk -F '\t' '
      function width(text) { gsub(/[\200-\277]/, "", text); return length(text) }
      { for (i = 1; i <= 6; i++) { cell[NR, i] = $i; if (width($i) > most[i]) most[i] = width($i) } }
      END {
        for (n = 1; n <= NR; n++) {
          line = ""
          for (i = 1; i <= 6; i++)
            line = line cell[n, i] sprintf("%" (most[i] - width(cell[n, i]) + 2) "s", "")
          sub(/ +$/, "", line)
          print line
        }
      }'
  fi
}
