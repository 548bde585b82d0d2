#!/bin/sh
# Builds the programs of known work that the live tests watch (Tests/Fixtures/workloads) into
# .build-workloads: with cc, or else with the Swift toolchain's clang. Only what is out of date;
# safe to run twice at the same time.
#
# usage: scripts/build-workloads.sh
set -eu
cd "$(dirname "$0")/.."

out=.build-workloads
sources=Tests/Fixtures/workloads
mkdir -p "$out"

compiler=${CC:-}
if [ -z "$compiler" ]; then
  compiler=$(command -v cc || command -v gcc || true)
  [ -n "$compiler" ] || compiler=$(swift -print-target-info |
    sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')/../../bin/clang
fi

build() { # program source flags...
  program=$out/$1
  source=$sources/$2
  shift 2
  if [ -e "$program" ] && [ -z "$(find "$source" "$sources/stopped.h" "$0" -newer "$program")" ]
  then
    return
  fi
  "$compiler" -std=gnu11 -O2 -Wall -Werror "$@" "$source" -o "$program.$$"
  mv -f "$program.$$" "$program" # in one step: another may be starting it
  echo "$program"
}

build_swift() { # program source flags...
  program=$out/$1
  source=$sources/$2
  shift 2
  if [ -e "$program" ] && [ -z "$(find "$source" "$0" -newer "$program")" ]; then return; fi
  swiftc -O -swift-version 6 -parse-as-library -warnings-as-errors "$@" "$source" -o "$program.$$"
  mv -f "$program.$$" "$program"
  echo "$program"
}

walked="-fomit-frame-pointer -fno-builtin-labs -pthread"
frames="-fno-omit-frame-pointer -mno-omit-leaf-frame-pointer -fno-optimize-sibling-calls"
# shellcheck disable=SC2086
{
  build syscalls syscalls.c $frames
  build many_calls many_calls.c $frames
  build known_calls known_calls.c $frames
  build syscalls-static syscalls.c $frames -static
  build many_calls-static many_calls.c $frames -static
  build network network.c $frames
  build network-static network.c $frames -static
  build sockets sockets.c $frames
  build sockets-static sockets.c $frames -static
  build congestion congestion.c $frames
  build congestion-static congestion.c $frames -static
  build soak soak.c $frames
  build rounds rounds.c $frames
  build everything everything.c $frames
  build memory memory.c $frames
  build mappings mappings.c $frames
  build memory-static memory.c $frames -static
  build memory-pie memory.c $frames -static-pie
  build allocations allocations.c $frames -pthread
  build allocations-static allocations.c $frames -static -pthread
  build callers callers.c -fomit-frame-pointer
  build callers-static callers.c -fomit-frame-pointer -static
  build callers-new callers.c $frames -DALLOCATE=_Znwm -Wl,--no-as-needed -lstdc++
  build processes processes.c $frames -pthread
  build processes-static processes.c $frames -static -pthread
  build stacks stacks.c $frames
  build waits waits.c $frames -pthread
  build waits-noframes waits.c -fomit-frame-pointer -pthread
  build waits-static waits.c $frames -static -pthread
  build short-lived short_lived.c $frames -static-pie
  build cpu cpu.c $frames -fPIE -pie
  build cpu-static cpu.c $frames -static
  build cpu-fixed cpu.c $frames -fno-pie -no-pie
  build cpu-stripped cpu.c $frames -s
  build cpu-noframes cpu.c -fomit-frame-pointer
  build unwind unwind.c $walked
  build unwind-lld unwind.c $walked -fuse-ld=lld
  build unwind-static unwind.c $walked -static
  build unwind-static-pie unwind.c $walked -static-pie
  build with-capabilities-static ../../VM/with_capabilities.c -static
  build with-token with_token.c
  build with-token-static with_token.c -static
}

build_swift unwind-swift unwind.swift
build_swift unwind-swift-debug unwind.swift -g
build_swift unwind-swift-frames unwind.swift -Xcc -fno-omit-frame-pointer
build_swift unwind-swift-static unwind.swift -static-stdlib

if [ "$(uname -m)" = x86_64 ]; then
  # Thread-local variables in each way that the processor's ABI has.
  build thread-context thread_context.c $frames
  build thread-context-static thread_context.c $frames -static
  build thread-context-pie thread_context.c $frames -static-pie
  for dialect in gnu gnu2; do
    library=libthread_context-$dialect.so
    build "$library" thread_context.c $frames -DLIBRARY -shared -fPIC "-mtls-dialect=$dialect"
    build "thread-context-$dialect" thread_context.c $frames -DIN_LIBRARY \
      -Wl,--no-as-needed "$out/$library" '-Wl,-rpath,$ORIGIN'
    build "thread-context-loaded-$dialect" thread_context.c $frames -DIN_LIBRARY \
      "-DLIBRARY_PATH=\"$PWD/$out/$library\""
  done
  build libthread_context-fixed.so thread_context.c $frames -DLIBRARY -shared -fPIC \
    -ftls-model=initial-exec
  build thread-context-fixed thread_context.c $frames -DIN_LIBRARY \
    -Wl,--no-as-needed "$out/libthread_context-fixed.so" '-Wl,-rpath,$ORIGIN'
  build compat_calls compat_calls.c
  build mappings-32 mappings_32.c $frames -m32 -ffreestanding -fno-pie -no-pie -nostdlib -static
  build usdt usdt.c
  build usdt-static usdt.c -static
  build otel-memory otel_memory.c $frames
  build otel-memory-static otel_memory.c $frames -static
  build compat_calls-static compat_calls.c -static
fi

# Another C library, where it is installed.
if command -v musl-gcc >/dev/null; then
  compiler=musl-gcc
  # shellcheck disable=SC2086
  {
    build unwind-musl unwind.c $walked
    build unwind-musl-static unwind.c $walked -static
    build memory-musl memory.c $frames
    build allocations-musl allocations.c $frames -pthread
    build allocations-musl-static allocations.c $frames -static -pthread
    build thread-context-musl thread_context.c $frames
    build libthread_context-musl.so thread_context.c $frames -DLIBRARY -shared -fPIC
    build thread-context-library-musl thread_context.c $frames -DIN_LIBRARY \
      -Wl,--no-as-needed "$out/libthread_context-musl.so" '-Wl,-rpath,$ORIGIN'
  }
fi
