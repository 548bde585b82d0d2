// SPDX-License-Identifier: Apache-2.0
//
// usage: unwind-swift MODE [seconds]
//
// Stops itself, then burns so many seconds of CPU time in `leaf`, with a known chain of callers:
//   recursion  (main) > recurse, 50 times > leaf
//   closure    (main) > work_closure > apply > (a closure) > leaf
//   async      (a thread of the pool) > work_async > leaf, suspended and resumed in each round

import Glibc

nonisolated(unsafe) var limit = 1.0
nonisolated(unsafe) var isOver = false

@_silgen_name("leaf") @inline(never)
func leaf(_ seed: UInt64) -> UInt64 {
  var value = seed
  for round in 0..<20_000 {
    value = (value ^ value >> 29) &* 0xff51_afd7_ed55_8ccd &+ UInt64(round)
  }
  var used = timespec()
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
  isOver = Double(used.tv_sec) + Double(used.tv_nsec) / 1e9 >= limit
  return value
}

@_silgen_name("recurse") @inline(never)
func recurse(_ depth: Int, _ seed: UInt64) -> UInt64 {
  // What is done after the call keeps this frame on the stack.
  (depth > 1 ? recurse(depth - 1, seed) : leaf(seed)) &+ UInt64(depth)
}

@_silgen_name("apply") @inline(never)
func apply(_ body: (UInt64) throws -> UInt64) rethrows -> UInt64 { try body(3) &+ 1 }

@_silgen_name("work_closure") @inline(never)
func workClosure(_ seed: UInt64) -> UInt64 { apply { leaf($0 &+ seed) &+ 5 } &+ 7 }

@_silgen_name("work_async") @inline(never)
func workAsync(_ seed: UInt64) async -> UInt64 {
  await Task.yield()
  return leaf(seed) &+ 1
}

@main struct Unwind {
  static func main() async {
    let arguments = CommandLine.arguments
    let mode = arguments.count > 1 ? arguments[1] : ""
    limit = arguments.count > 2 ? Double(arguments[2]) ?? 1 : 1
    kill(getpid(), SIGSTOP)
    var value = UInt64(arguments.count)
    while !isOver {
      switch mode {
      case "recursion": value = recurse(50, value)
      case "closure": value = workClosure(value)
      case "async": value = await workAsync(value)
      default: exit(64)
      }
    }
    print(value)
  }
}
