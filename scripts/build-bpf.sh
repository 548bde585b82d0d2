#!/bin/sh
# Compiles every *.bpf.c of the package with the Swift toolchain's own clang:
#   bpf-objects/bpf/NAME.bpf.c -> bpf-objects/build/NAME.bpf.o   (embedded in the library)
#   Tests/Fixtures/NAME.bpf.c  -> Tests/Fixtures/NAME.bpf.o      (what the tests parse and load)
# The objects are committed. The same sources give the same bytes from any folder.
#
# usage: scripts/build-bpf.sh [--check] [NAME...]
#   --check   rebuild into a temporary folder and compare with what is committed; 1 on a difference
#   NAME      only these objects ("cpu_profiler", "globals")
#
# A source may add compiler flags in its first line: /* cflags: -mcpu=v4 */
set -eu
cd "$(dirname "$0")/.."

check=false
if [ "${1:-}" = --check ]; then
  check=true
  shift
fi

command -v swift >/dev/null || { echo "error: no swift in PATH" >&2; exit 1; }
# Not `dirname $(which swift)`: that may be swiftly's proxy.
toolchain=$(swift -print-target-info |
  sed -n 's/.*"runtimeResourcePath" *: *"\(.*\)".*/\1/p')/../../bin
for tool in clang llvm-objcopy; do
  [ -x "$toolchain/$tool" ] || { echo "error: no $tool beside swift in $toolchain" >&2; exit 1; }
done

for name; do
  [ -e "bpf-objects/bpf/$name.bpf.c" ] || [ -e "Tests/Fixtures/$name.bpf.c" ] || {
    echo "error: there is no $name.bpf.c" >&2
    exit 64
  }
done

wanted() { # name, then the names asked for
  name=$1
  shift
  [ $# = 0 ] && return 0
  for one; do [ "$one" = "$name" ] && return 0; done
  return 1
}

compile() { # source object
  flags=$(sed -n '1s|^/\* cflags: \(.*\) \*/$|\1|p' "$1")
  # -ffreestanding -nostdlibinc: there is no C library here, and no header of this machine can
  # change the bytes.
  # -fno-split-cold-code: Swift's clang would split functions into parts that loaders refuse.
  # -bpf-disable-trap-unreachable: LLVM would declare a kernel function __bpf_trap that no kernel has.
  # shellcheck disable=SC2086
  "$toolchain/clang" -target bpfel -mcpu=v3 -O2 -g -Wall -Werror -std=gnu11 \
    -ffreestanding -nostdlibinc -I bpf-objects/bpf -fdebug-compilation-dir=. \
    -ffile-prefix-map="$PWD"=. -Xclang -fno-split-cold-code -mllvm -bpf-disable-trap-unreachable $flags -c "$1" -o "$2"
  "$toolchain/llvm-objcopy" --strip-debug "$2"
}

out=""
if $check; then
  out=$(mktemp -d)
  trap 'rm -rf "$out"' EXIT
fi

status=0
for source in bpf-objects/bpf/*.bpf.c Tests/Fixtures/*.bpf.c; do
  [ -e "$source" ] || continue
  name=$(basename "$source" .bpf.c)
  wanted "$name" "$@" || continue
  case $source in
    bpf-objects/*) object=bpf-objects/build/$name.bpf.o ;;
    *) object=${source%.c}.o ;;
  esac
  if $check; then
    compile "$source" "$out/object"
    if [ ! -e "$object" ]; then
      echo "missing: $object" >&2
      status=1
    elif ! cmp -s "$out/object" "$object"; then
      echo "differs: $object is not what $source compiles to" >&2
      status=1
    fi
  else
    mkdir -p "$(dirname "$object")"
    compile "$source" "$object"
    echo "$object"
  fi
done

if $check; then
  for object in bpf-objects/build/*.bpf.o Tests/Fixtures/*.bpf.o; do
    [ -e "$object" ] || continue
    source=${object%.o}.c
    case $object in bpf-objects/*) source=bpf-objects/bpf/$(basename "$source") ;; esac
    [ -e "$source" ] || { echo "orphan: $object has no source" >&2; status=1; }
  done
  if [ $status != 0 ]; then
    "$toolchain/clang" --version | sed -n '1s/^/compiler: /p' >&2
    echo "run scripts/build-bpf.sh with the toolchain named in .swift-version, and commit" >&2
  fi
fi
exit $status
