import Profiles

/// Profiles that look like those of real machines, made from a seed.
struct SyntheticProfile {
  private var sketch = ProfileSketch()
  private var random: FixedRandom

  var profile: Profile { sketch.profile }

  /// A few processes of a busy server: deep C++ and Swift names, jitted code, kernel and idle time.
  static func server(seed: UInt64 = 1, stacks: Int = 2_000) -> SyntheticProfile {
    var synthetic = SyntheticProfile(random: FixedRandom(seed: seed))
    synthetic.addIdle()
    for _ in 0..<stacks {
      switch Int.random(in: 0..<100, using: &synthetic.random) {
      case 0..<45: synthetic.addDatabase()
      case 45..<78: synthetic.addWebServer()
      case 78..<90: synthetic.addScript()
      default: synthetic.addKernelThread()
      }
    }
    return synthetic
  }

  /// Many different stacks over few functions: the largest tree for its size.
  static func wide(stacks: Int, samples: Int, depth: Int) -> Profile {
    var random = FixedRandom(seed: 7)
    var sketch = ProfileSketch()
    let frames = (0..<2_000).map {
      sketch.frame("ns::Class<\($0)>::method(int, char const*)", address: UInt64($0))
    }
    for index in 0..<stacks {
      let split = Int.random(in: depth / 2..<depth, using: &random)
      let path = (0..<depth).map { level in
        level < split ? frames[level * 7 % 64 + (index % 16)] : frames.randomElement(using: &random)
      }
      sketch.add(path.compactMap { $0 }, pid: Int32(index % 8) + 1)
    }
    for index in 0..<max(0, samples - stacks) {
      sketch.profile.samples.append(sketch.profile.samples[index % stacks])
    }
    return sketch.profile
  }

  private init(random: FixedRandom) { self.random = random }

  private mutating func pick<Value>(_ choices: [Value]) -> Value {
    choices[
      Int(Double.random(in: 0..<1, using: &random).squareRoot() * -Double(choices.count))
        + choices.count - 1]
  }

  private mutating func weight(_ limit: Int64) -> Int64 {
    let share = Double.random(in: 0..<1, using: &random)
    return max(1, Int64(share * share * share * Double(limit)))
  }

  private mutating func kernel(_ names: [String]) -> [Int] {
    names.map { sketch.frame($0, kind: .kernel, module: "[kernel]") }
  }

  private mutating func native(_ names: [String], in module: String) -> [Int] {
    names.map { sketch.frame($0, module: module, file: "Sources/\($0.prefix(12)).cpp", line: 12) }
  }

  private mutating func systemCall() -> [Int] {
    let entry = ["entry_SYSCALL_64_after_hwframe", "do_syscall_64"]
    let bodies = [
      ["ksys_read", "vfs_read", "ext4_file_read_iter", "filemap_read", "copy_page_to_iter"],
      [
        "__x64_sys_sendto", "sock_sendmsg", "tcp_sendmsg", "tcp_push", "__tcp_transmit_skb",
        "ip_queue_xmit", "__dev_queue_xmit", "net_rx_action",
      ],
      ["__x64_sys_epoll_wait", "do_epoll_wait", "schedule", "__schedule", "finish_task_switch"],
      ["__x64_sys_futex", "do_futex", "futex_wait", "schedule", "__schedule"],
      ["__x64_sys_mmap", "vm_mmap_pgoff", "do_mmap", "mmap_region"],
    ]
    let body = pick(bodies)
    let length = Int.random(in: 1...body.count, using: &random)
    return kernel(entry + body.prefix(length))
  }

  private mutating func addDatabase() {
    let module = "/usr/sbin/quarrydb"
    var path = native(
      [
        "_start", "main", "quarry::Server::run(quarry::ServerOptions const&)",
        "std::__invoke_impl<void, quarry::Connection::serve()::{lambda()#1}>",
        "quarry::Connection::dispatch(quarry::Command const&, std::span<std::byte const>)",
      ],
      in: module)
    path += native(
      ["quarry::sql::Executor::execute(quarry::sql::Plan const&)", "quarry::sql::Join::next()"],
      in: module)
    for _ in 0..<Int.random(in: 1...12, using: &random) {
      path += native(
        [
          pick([
            "quarry::sql::Filter::next()",
            "quarry::sql::HashJoin<quarry::Row>::probe(quarry::Row&)",
            "quarry::btree::Cursor::seek(std::basic_string_view<char, std::char_traits<char> >)",
            "quarry::sql::Aggregate::accumulate(quarry::Row const&)",
            "quarry::codec::Varint::decode(unsigned char const*, unsigned char const*)",
          ])
        ], in: module)
    }
    switch Int.random(in: 0..<4, using: &random) {
    case 0: path += native(["__memmove_avx_unaligned_erms"], in: "/usr/lib/libc.so.6")
    case 1: path += native(["malloc", "_int_malloc"], in: "/usr/lib/libc.so.6")
    case 2: path += systemCall()
    default: path += native(["quarry::btree::Page::compare(unsigned long, int)"], in: module)
    }
    let worker = Int32.random(in: 0..<3, using: &random)
    sketch.add(path, count: weight(90), command: "quarrydb", pid: 1200, tid: 1200 + worker)
  }

  private mutating func addWebServer() {
    let module = "/opt/app/bin/Storefront"
    var path = native(["_start", "main", "swift_job_run"], in: module)
    path += native(
      [
        "(1) await resume partial function for static Storefront.main() async throws -> ()",
        "closure #1 in HTTPServer.run(handler: @Sendable (Request) async throws -> Response)",
        "Router.respond(to: Request, context: RequestContext) async throws -> Response",
      ],
      in: module)
    path += native(
      [
        pick([
          "CatalogController.list(_: Request) async throws -> [ProductSummary]",
          "CheckoutController.place(_: Request) async throws -> Receipt",
          "generic specialization <String, JSONValue> of Dictionary.subscript.getter",
        ])
      ], in: module)
    for _ in 0..<Int.random(in: 1...8, using: &random) {
      path += native(
        [
          pick([
            "JSONEncoder.encode<A where A: Encodable>(A) throws -> [UInt8]",
            "specialized Array._copyToNewBuffer(oldCount:)", "swift_retain", "swift_release",
            "protocol witness for Encodable.encode(to:) in conformance ProductSummary",
          ])
        ], in: module)
    }
    if Bool.random(using: &random) { path += systemCall() }
    let pid = Int32.random(in: 0..<2, using: &random) + 2400
    sketch.add(path, count: weight(60), command: "Storefront", pid: pid)
  }

  private mutating func addScript() {
    var path = native(["_start", "node::Start(int, char**)"], in: "/usr/bin/node")
    for _ in 0..<Int.random(in: 2...9, using: &random) {
      let name = pick([
        "JS:*renderToString /srv/view/render.js:120", "JS:~parse /srv/view/template.js:31",
        "JS:*flatten /srv/node_modules/util/flat.js:4", "JS:^map native array.js:1",
      ])
      path.append(sketch.frame(name, kind: .jit, module: "/tmp/perf-3100.map"))
    }
    if Int.random(in: 0..<3, using: &random) == 0 {
      path.append(sketch.frame(nil, module: "/usr/bin/node", address: 0x1234))
    }
    sketch.add(path, count: weight(40), command: "node", pid: 3100)
  }

  private mutating func addKernelThread() {
    let path = kernel(
      ["ret_from_fork", "kthread", "worker_thread", "process_one_work"]
        + [pick(["wb_workfn", "blk_mq_run_work_fn", "rcu_work", "vmstat_update"])])
    sketch.add(path, count: weight(12), command: "kworker/1:2", pid: 77)
    if Int.random(in: 0..<6, using: &random) == 0 {
      let marker = sketch.frame("[truncated]", kind: .marker, module: nil)
      sketch.add(
        [marker] + native(["deep()"], in: "/usr/sbin/quarrydb"), command: "quarrydb",
        pid: 1200)
    }
  }

  private mutating func addIdle() {
    let path = kernel(
      [
        "secondary_startup_64", "cpu_startup_entry", "do_idle", "cpuidle_idle_call",
        "acpi_idle_enter",
      ])
    sketch.add(path, count: 2_400, command: "swapper/0", pid: 0)
  }
}
