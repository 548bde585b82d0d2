import Glibc
import OpenTelemetryContext

/// Connections and DNS queries whose address says in which span they are: to 127.0.0.1 is span 1, to
/// 127.0.0.2 span 2, to 127.0.0.3 span 3 of a task, to 127.0.0.9 none.
///
/// To each go so many connections, as many that are refused, and as many queries that nobody answers; in
/// span 1 also one connection to an address that no connection can go to.
struct Connections {
  let rounds: Int
  private let listener: Int32
  private let port: UInt16

  init(rounds: Int) {
    self.rounds = rounds
    listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = Self.address(nil, 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = listener
    let status = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) | listen(descriptor, 64)
          | getsockname(descriptor, address, &length)
      }
    }
    guard status == 0 else { fatalError("no listener: \(errno)") }
    port = UInt16(bigEndian: address.sin_port)
  }

  func run() async {
    ThreadContext.withSpan(ContextPublisher.span(1)) {
      work(1)
      // Everybody's address.
      let unreachable = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      guard connect(unreachable, to: Self.address(255, 9)) != 0 else { fatalError("connected") }
      close(unreachable)
      ThreadContext.withSpan(ContextPublisher.span(2)) { work(2) }
    }
    work(9)
    await ThreadContext.withSpan(ContextPublisher.span(3)) {
      for _ in 0..<rounds {
        await Task.yield()
        round(3)
      }
    }
  }

  private func work(_ last: UInt8) { for _ in 0..<rounds { round(last) } }

  private func round(_ last: UInt8) {
    let client = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard connect(client, to: Self.address(last, port)) == 0 else { fatalError("no: \(errno)") }
    let server = accept(listener, nil, nil)
    close(client)
    close(server)
    let refused = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard connect(refused, to: Self.address(last, 1)) != 0 else { fatalError("port 1 is open") }
    close(refused)
    // One question: a.test, type A.
    let query: [UInt8] = [
      0, last, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 1, 0x61, 4, 0x74, 0x65, 0x73, 0x74, 0, 0, 1, 0, 1,
    ]
    let asking = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
    guard connect(asking, to: Self.address(last, 53)) == 0, send(asking, query, query.count, 0) > 0
    else { fatalError("cannot ask: \(errno)") }
    close(asking)
  }

  /// 127.0.0.`last`; 255.255.255.255 for 255, and any for nil.
  private static func address(_ last: UInt8?, _ port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    if let last {
      address.sin_addr.s_addr = last == 255 ? .max : (0x7f00_0000 | UInt32(last)).bigEndian
    }
    return address
  }

  private func connect(_ socket: Int32, to address: sockaddr_in) -> Int32 {
    withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }
}
