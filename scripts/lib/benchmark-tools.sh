# Sourced by scripts/benchmark.sh after benchmark-rows.sh: what a context switch costs while somebody
# looks on, and what whole tools cost.

# Two threads that hand a byte back and forth on one CPU, each wait recorded with its stacks.
measure_switch() {
  scripts/build-workloads.sh >/dev/null
  on_exit=stop_tool
  for peer in offcputime nothing; do
    pair "switch_$peer" switch_ours -- "switch_$peer"
  done
  on_exit=:
  what="context switch, the wait recorded with stacks"
  paired_row "$what by unwind table" ns switch_offcputime switch_ns \
    "libbpf-tools offcputime, by frame pointer" "" ""
  paired_row "$what by unwind table" ns switch_nothing switch_ns "nothing attached" "" ""
  pair switch_frames switch_ours --unwind fp -- switch_ours
  paired_row "$what by frame pointer" ns switch_frames switch_ns "the same by unwind table" "" ""
}

switch_ours() { # option...
  dist/ebpf profile --off-cpu --top 1 "$@" -- .build-workloads/waits switch 50000 2>"$work/log" |
    grep _ns || die "ebpf profile --off-cpu: $(cat "$work/log")"
}

switch_nothing() { .build-workloads/waits switch 50000; }

# It takes only a process that is there already, which stops before and after its work. That it records is
# not said: it has made its link then.
switch_offcputime() {
  .build-workloads/waits switch 50000 stop >"$work/waits" &
  waits=$!
  until_stopped "$waits"
  offcputime -p "$waits" >"$work/tool" 2>&1 &
  tool_id=$!
  until ls -l "/proc/$tool_id/fd" 2>/dev/null | grep -q bpf_link; do
    kill -0 "$tool_id" 2>/dev/null || die "offcputime: $(cat "$work/tool")"
    sleep 0.05
  done
  kill -CONT "$waits"
  until [ -s "$work/waits" ]; do sleep 0.05; done
  until_stopped "$waits"
  stop_tool
  kill -CONT "$waits"
  wait "$waits"
  cat "$work/waits"
}

until_stopped() { # process
  until grep -q '^State:.T' "/proc/$1/status"; do
    kill -0 "$1" 2>/dev/null || die "process $1 ended before it stopped"
    sleep 0.05
  done
}

# What the kernel's own statistics add, which tell the time in programs: two runs of one for each call.
statistics_row() {
  pair calls_statistics call_added program_time -- call_added ours
  paired_row "added to each getppid with BPF_ENABLE_STATS on (--program-time)" ns \
    calls_statistics added_ns "without" "" ""
}

# Tools that print a line for each event, and one that prints a table: from their start to their end.
tool_rows() { # what NAME peer
  paired_row "$1: from the start to the first line" ns "$2" first_event_ns "$3" "" ""
  paired_row "$1: CPU time in all" ns "$2" cpu_ns "$3" "" ""
  paired_row "$1: peak memory" kb "$2" max_rss_kb "$3" "" ""
}

network_tool_rows() {
  pair network_tool follow dist/ebpf network --events --comm connect -- follow stdbuf -oL tcplife
  tool_rows "3,000 connections, 12,000 events printed" network_tool \
    "libbpf-tools tcplife, 6,000 lines"
}

syscalls_tool_rows() {
  pair syscalls_tool follow dist/ebpf syscalls --trace --comm connect -- follow_bpftrace
  tool_rows "15,000 calls printed with arguments" syscalls_tool "bpftrace, numbers printed"
  pair syscalls_count run_alone dist/ebpf syscalls -d 2 -- run_alone syscount -L -d 2 -i 2
  what="calls of the whole machine counted for 2 s"
  peer="libbpf-tools syscount -L"
  paired_row "$what: CPU time in all" ns syscalls_count cpu_ns "$peer" "" ""
  paired_row "$what: peak memory" kb syscalls_count max_rss_kb "$peer" "" ""
}

run_alone() { # tool argument...
  "$peers/run" /dev/null "$@" 2>"$work/log" || die "$1: $(cat "$work/log")"
}

follow() { # tool argument...
  "$peers/follow" "$peers/connect" 3000 "$@" 2>"$work/log" || die "$1: $(cat "$work/log")"
}

follow_bpftrace() {
  follow bpftrace -B line -e '
    tracepoint:raw_syscalls:sys_enter /comm == "connect"/ { @start[tid] = nsecs; }
    tracepoint:raw_syscalls:sys_exit /@start[tid]/ {
      printf("%d %s %d = %d %d\n", pid, comm, args->id, args->ret, nsecs - @start[tid]);
      delete(@start[tid]); }'
}
