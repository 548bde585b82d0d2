# Sourced by scripts/benchmark.sh: one function for each measurement, each adding rows to the table.
# Expects what scripts/benchmark.sh sets: $benchmarks (the Swift program), $peers, $work, $pairs.

kernel_types=/sys/kernel/btf/vmlinux
fixtures=Tests/Fixtures

# The kernel's types: opened, indexed, and a first struct found.
measure_btf() {
  pair btf $benchmarks btf-open $kernel_types task_struct -- "$peers/btf_open" $kernel_types task_struct
  agree btf id types
  paired_row "BTF open, index, first look-up" ns btf open_ns "libbpf" "≤ 5 ms" 'ours <= 5e6'
  paired_row "BTF open: memory it dirties" kb btf dirty_kb "libbpf" "< 2 MB" 'ours * 1024 < 2e6'
}

# 1,000 names of every kind that has one, always the same for the same kernel.
measure_lookup() {
  bpftool btf dump file $kernel_types format raw | awk '
    BEGIN { split("1 4 5 6 8 12", kind, " "); split("INT STRUCT UNION ENUM TYPEDEF FUNC", name, " ")
      for (i in kind) number[name[i]] = kind[i] }
    /^\[/ && ($2 in number) && split($0, quoted, "\047") > 2 && quoted[2] != "(anon)" {
      print number[$2], quoted[2] }' | sort -u |
    awk -v seed=7 'BEGIN { srand(seed) } { print rand(), $0 }' | sort -n | head -n 1000 |
    cut -d " " -f 2- >"$work/names"
  pair lookup $benchmarks btf-lookup $kernel_types "$work/names" -- \
    "$peers/btf_lookup" $kernel_types "$work/names"
  agree lookup id_sum
  paired_row "BTF look-up of a name" ns lookup lookup_ns "libbpf" "< 1 µs" 'ours < 1000'
}

# From an object's bytes to verified programs, the kernel's types being read on the way.
measure_core() {
  for types in 2 20; do
    object=$fixtures/core_${types}_types.bpf.o
    pair core_$types $benchmarks load $object -- "$peers/load" $object
    if [ $types = 20 ]; then bar="≤ 15 ms" condition='ours <= 15e6'; else bar= condition=; fi
    paired_row "CO-RE load, $types kernel types" ns core_$types load_ns "libbpf" \
      "$bar" "$condition"
  done
}

# Whole processes: what a person waits for.
measure_validate() {
  object=$fixtures/many_programs.bpf.o
  what="validate an object of $(($(wc -c <$object) / 1000)) kB"
  pair validate run_quiet dist/ebpf validate $object -- run_quiet readelf -a $object
  paired_row "$what" ns validate cpu_ns "readelf -a" "faster" 'ratio < 1'
  pair disassemble run_quiet dist/ebpf validate --disassemble $object -- \
    run_quiet llvm-objdump -d $object
  paired_row "$what, disassembled" ns disassemble cpu_ns "llvm-objdump -d" "" ""
}

run_quiet() { "$peers/run" /dev/null "$@"; }

# One program fills the ring, the reader empties it, in turn, on one thread.
measure_ring() {
  object=$fixtures/ringbuf_batch.bpf.o
  pair ring $benchmarks ring $object 2000 -- "$peers/ring" $object 2000
  agree ring records numbers
  paired_row "ring buffer, reader's CPU for a record" ps ring picoseconds_per_record "libbpf" \
    "≤ libbpf" 'ratio <= 1'
  paired_row "ring buffer, producer and reader on one CPU" per_second ring records_per_second \
    "libbpf" "" ""
}

# Five seconds of the whole machine under a fixed load, recorded and reported.
measure_profile() {
  scripts/build-workloads.sh >/dev/null
  load=
  for one in 1 2; do
    .build-workloads/cpu 0 >/dev/null &
    load="$load $!"
  done
  (while :; do find /usr/share -name '*.conf' | sort | md5sum; done) >/dev/null 2>&1 &
  load="$load $!"
  on_exit=stop_load
  pair profile profile_ours -- profile_perf
  # Once: it may take its whole minute.
  profile_bpftrace >"$work/bpftrace.peer"
  stop_load
  on_exit=:
  what="profile of 5 s"
  peer="perf record + report"
  paired_row "$what: from its end to the report" ns profile report_ns "$peer" "< 1 s" 'ours < 1e9'
  bpftrace_row "$what: from its end to the report" ns report_ns
  paired_row "$what: peak memory" kb profile max_rss_kb "$peer" "< 50 MB" 'ours * 1024 < 50e6'
  bpftrace_row "$what: peak memory" kb max_rss_kb
  paired_row "$what: CPU time in all" ns profile cpu_ns "$peer" "" ""
  bpftrace_row "$what: CPU time in all" ns cpu_ns
  row "$what: from the start to the first sample" ns "$(median profile.ours first_sample_ns)" "" "" \
    "" "< 50 ms" 'ours < 50e6'
}

stop_load() {
  # shellcheck disable=SC2086
  kill $load 2>/dev/null || :
}

# Prints what both profilers print: `run`'s figures, and how long they took beyond the 5 seconds.
profile_ours() {
  "$peers/run" "$work/ours.json" dist/ebpf profile -d 5 --json -o "$work/ours.html" \
    >"$work/run" || return 1
  awk '$1 == "wall_ns" { printf "report_ns %.0f\n", $2 - 5e9 } { print }' "$work/run"
  sed -n 's/.*"first_sample_ns" *: *\([0-9]*\).*/first_sample_ns \1/p' "$work/ours.json"
}

profile_perf() {
  "$peers/run" /dev/null perf record -q -F 99 -a -g -o "$work/perf.data" -- sleep 5 \
    >"$work/run" 2>"$work/log" || die "perf record: $(cat "$work/log")"
  "$peers/run" "$work/perf.txt" perf report --stdio -i "$work/perf.data" \
    >"$work/run2" 2>"$work/log" || die "perf report: $(cat "$work/log")"
  # Time adds up; memory is the larger of the two.
  awk '{ if ($1 == "max_rss_kb") { if ($2 > value[$1]) value[$1] = $2 } else value[$1] += $2 }
    END { for (key in value) printf "%s %.0f\n", key, value[key]
      printf "report_ns %.0f\n", value["wall_ns"] - 5e9 }' "$work/run" "$work/run2"
}

# Stopped after a minute: naming every frame may take it longer than anyone waits. It also gives up
# with an error where two stacks share a slot; what it cost until then is still what it cost.
profile_bpftrace() {
  program='profile:hz:99 { @[kstack, ustack, comm] = count(); } interval:s:5 { exit(); }'
  "$peers/run" "$work/bpftrace.txt" \
    sh -c 'timeout 60 bpftrace -e "$1"; echo $? >"$2"' bpftrace "$program" "$work/bpftrace.status" \
    >"$work/run" 2>"$work/log" || die "bpftrace: $(cat "$work/log")"
  case $(cat "$work/bpftrace.status") in
    0) bpftrace_name=bpftrace ;;
    124) bpftrace_name="bpftrace, stopped after 60 s:" ;;
    *) bpftrace_name="bpftrace, which failed:" ;;
  esac
  awk '$1 == "wall_ns" { printf "report_ns %.0f\n", $2 - 5e9 } { print }' "$work/run"
}

bpftrace_row() { # what unit key
  ours_figure=$(median profile.ours "$3")
  theirs=$(median bpftrace.peer "$3")
  row "$1" "$2" "$ours_figure" "$bpftrace_name" "$theirs" "$(quotient "$ours_figure" "$theirs")" "" ""
}

# A program that allocates or touches pages, alone and watched. bpftrace only counts calls.
measure_memory() {
  what="malloc and free"
  pair memory_sampled memory_ours pairs 100000 --allocations -- memory_bpftrace
  paired_row "$what, sampled with stacks and leaks" ns memory_sampled pair_ns \
    "bpftrace, counted" "≤ bpftrace" 'ratio <= 1'
  pair memory_exact memory_ours pairs 100000 --exact -- memory_bpftrace
  paired_row "$what, every call with stacks and leaks" ns memory_exact pair_ns \
    "bpftrace, counted" "" ""
  "$peers/allocate" pairs 10000000 >"$work/bare.peer"
  row "$what, nothing attached" ns "$(median bare.peer pair_ns)" "" "" "" "" ""
  pair memory_pages memory_ours pages 50000 -- "$peers/allocate" pages 50000
  paired_row "first touch of a page, growth recorded" ns memory_pages page_ns \
    "nothing attached" "" ""
}

memory_ours() { # what count option...
  what_it_does=$1
  how_often=$2
  shift 2
  dist/ebpf memory "$@" -- "$peers/allocate" "$what_it_does" "$how_often" 2>"$work/log" |
    grep _ns || die "ebpf memory: $(cat "$work/log")"
}

memory_bpftrace() {
  libc=$(ldd "$peers/allocate" | awk '$1 ~ /^libc\.so/ { print $3 }')
  bpftrace -c "$peers/allocate pairs 100000" -e "
    uprobe:$libc:malloc { @entries = count(); }
    uretprobe:$libc:malloc { @returns = count(); }
    uprobe:$libc:free { @frees = count(); }" 2>"$work/log" | grep _ns ||
    die "bpftrace: $(cat "$work/log")"
}

# What counting and timing every system call adds to the cheapest one: the difference of two runs one
# after the other, with the tool and without.
measure_syscalls() {
  on_exit=stop_tool
  for tool in syscount bpftrace; do
    pair "calls_$tool" call_added ours -- call_added "$tool"
    case $tool in
      syscount) name="libbpf-tools syscount -L" bar="< syscount" condition='ratio < 1' ;;
      bpftrace) name="bpftrace, count and hist" bar= condition= ;;
    esac
    paired_row "added to each getppid by counting and timing it" ns "calls_$tool" added_ns \
      "$name" "$bar" "$condition"
  done
  pair calls_strace call_added ours -- call_added strace
  paired_row "added to each getppid by counting and timing it" ns calls_strace added_ns \
    "strace -c" "" ""
  statistics_row
  on_exit=:
  syscalls_tool_rows
}

call_added() { # tool
  bare=$("$peers/getppid" | awk '{ print $2 }')
  : >"$work/tool"
  case $1 in
    ours) dist/ebpf syscalls -i 0.1 --json >"$work/tool" 2>/dev/null & ;;
    program_time) dist/ebpf syscalls -i 0.1 --json --program-time >"$work/tool" 2>/dev/null & ;;
    syscount) stdbuf -oL syscount -L -i 60 >"$work/tool" 2>/dev/null & ;;
    bpftrace)
      bpftrace -B none -e 'BEGIN { printf("ready\n"); }
        tracepoint:raw_syscalls:sys_enter { @start[tid] = nsecs; }
        tracepoint:raw_syscalls:sys_exit /@start[tid]/ {
          @count[args->id] = count(); @time[args->id] = hist(nsecs - @start[tid]);
          delete(@start[tid]);
        }' >"$work/tool" 2>/dev/null &
      ;;
    strace)
      with=$(strace -c -o "$work/tool" "$peers/getppid" 5 | awk '{ print $2 }')
      awk -v with="$with" -v bare="$bare" 'BEGIN { print "added_ns", with - bare }'
      return
      ;;
  esac
  tool_id=$!
  # The first output says that it records.
  until [ -s "$work/tool" ]; do
    kill -0 "$tool_id" 2>/dev/null || return 1
    sleep 0.05
  done
  with=$("$peers/getppid" | awk '{ print $2 }')
  stop_tool
  awk -v with="$with" -v bare="$bare" 'BEGIN { print "added_ns", with - bare }'
}

stop_tool() {
  [ -n "${tool_id:-}" ] || return 0
  kill "$tool_id" 2>/dev/null || :
  wait "$tool_id" 2>/dev/null || :
  tool_id=
}

# A connection with both its ends, and a byte there and back, while somebody looks on.
measure_network() {
  for peer in bpftrace nothing; do
    pair "network_storm_$peer" network_ours storm 3000 -- "network_$peer" storm 3000
    pair "network_echo_$peer" network_ours echo 20000 -- "network_$peer" echo 20000
  done
  paired_row "TCP connection, both ends recorded" ns network_storm_bpftrace connection_ns \
    "bpftrace, printed at close" "≤ bpftrace" 'ratio <= 1'
  paired_row "TCP connection, both ends recorded" ns network_storm_nothing connection_ns \
    "nothing attached" "" ""
  paired_row "1 byte there and back, recorded" ns network_echo_bpftrace echo_ns \
    "bpftrace, at close only" "" ""
  paired_row "1 byte there and back, recorded" ns network_echo_nothing echo_ns \
    "nothing attached" "< 1.10" 'ratio < 1.10'
  network_tool_rows
}

network_ours() {
  dist/ebpf network --top 1 -- "$peers/connect" "$@" 2>"$work/log" | grep _ns ||
    die "ebpf network: $(cat "$work/log")"
}

network_nothing() { "$peers/connect" "$@"; }

network_bpftrace() {
  bpftrace -c "$peers/connect $1 $2" -e '
    tracepoint:sock:inet_sock_set_state /args->newstate == 2 || args->newstate == 1/ {
      @start[args->skaddr] = nsecs; @name[args->skaddr] = comm; }
    tracepoint:sock:inet_sock_set_state /args->newstate == 7 && @start[args->skaddr]/ {
      printf("%d %s %d %d %d\n", pid, @name[args->skaddr], args->sport, args->dport,
        nsecs - @start[args->skaddr]);
      delete(@start[args->skaddr]); delete(@name[args->skaddr]); }' 2>"$work/log" |
    grep _ns || die "bpftrace: $(cat "$work/log")"
}

# What one copies to a machine, and how long it takes to begin.
measure_size() {
  bytes=$(wc -c <dist/ebpf)
  for tool in bpftrace bpftool; do
    theirs=$(installed_bytes "$tool")
    row "size with libraries" bytes "$bytes" "$tool" "$theirs" \
      "$(quotient "$bytes" "$theirs")" "" ""
  done
  for tool in bpftrace bpftool; do
    pair "start_$tool" run_quiet dist/ebpf --version -- run_quiet $tool --version
    paired_row "start (--version)" ns "start_$tool" cpu_ns "$tool" "" ""
  done
}

# A program's file and those of the libraries it is linked with.
installed_bytes() {
  program=$(command -v "$1")
  {
    echo "$program"
    ldd "$program" | awk '$2 == "=>" && $3 ~ /^\// { print $3 } $1 ~ /^\// { print $1 }'
  } | xargs -n 1 readlink -f | sort -u | xargs cat | wc -c
}

# agree NAME KEY...: both sides must have found the same.
agree() {
  measured=$1
  shift
  for key in "$@"; do
    [ "$(figures "$measured.ours" "$key" | sort -u)" = \
      "$(figures "$measured.peer" "$key" | sort -u)" ] ||
      die "$measured: the two sides differ in $key; see $work/$measured.ours and .peer"
  done
}
