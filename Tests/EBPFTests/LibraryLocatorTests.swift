import EBPFObject
import EBPFSystem
import Glibc
import TestSupport
import Testing

@testable import EBPF

@Suite struct LibraryLocatorTests {
  /// What the dynamic linker says `name` is.
  private func inode(_ path: String) throws -> UInt64 { try FileStatus(path: path).inode }

  @Test(arguments: ["libc", "c", "libc.so.6", "libz.so.1", "stdc++"])
  func `a short name finds the library that ldconfig lists`(name: String) throws {
    let listing = try Command.output(["ldconfig", "-p"])
    let stem = ["libc": "libc.so.6", "c": "libc.so.6", "stdc++": "libstdc++.so.6"][name] ?? name
    let line = try #require(
      listing.split(separator: "\n").first {
        $0.contains("\t\(stem) ") && $0.contains("x86-64")
      })
    let wanted = String(try #require(line.split(separator: " ").last))
    let found = try LibraryLocator().locate(name)
    #expect(try inode(found.path) == inode(wanted))
  }

  @Test func `a process's own library is found through its mappings`() throws {
    let found = try LibraryLocator(pid: getpid()).locate("libc")
    #expect(found.path.hasPrefix("/proc/\(getpid())/"))
    #expect(found.name.hasSuffix("/libc.so.6"))
    let swift = try LibraryLocator(pid: getpid()).locate("swiftCore")
    #expect(swift.name.hasSuffix("/libswiftCore.so"))
  }

  @Test func `a program is found in PATH, and a path is taken as it is`() throws {
    #expect(try inode(LibraryLocator().locate("bash").path) == inode("/bin/bash"))
    #expect(try LibraryLocator().locate("/bin/bash").path == "/bin/bash")
  }

  @Test func `what is nowhere is an error that says where was looked`() throws {
    let error = #expect(throws: EBPFError.self) { try LibraryLocator().locate("libnothing") }
    #expect(
      error?.description == """
        not_found: no library or program of that name in the library cache, the standard folders \
        or PATH
          file         libnothing
          hint         give the whole path of the file
        """)
    #expect(throws: EBPFError.self) { try LibraryLocator().locate("/no/such/file") }
    #expect(throws: EBPFError.self) { try LibraryLocator().locate("") }
    #expect(throws: EBPFError.self) { try LibraryLocator(pid: Int32.max).locate("libc") }
  }

  @Test func `the library cache has what ldconfig prints`() throws {
    let cache = try LibraryCache(parsing: try MappedFile.open("/etc/ld.so.cache"))
    var listed: Set<String> = []
    for line in try Command.output(["ldconfig", "-p"]).split(separator: "\n").dropFirst() {
      let fields = line.split(separator: " ")
      if fields.count > 3, fields[fields.count - 2] == "=>" {
        listed.insert(fields[0].filter { $0 != "\t" } + " " + fields[fields.count - 1])
      }
    }
    let own = try Set(
      (0..<cache.count).map { index in
        let entry = try cache.entry(at: index)
        return entry.name + " " + entry.path
      })
    #expect(own == listed)
    #expect(own.count > 50)
  }

  @Test func `a damaged library cache throws or answers, and never traps`() throws {
    let original = try contents(ofFile: "/etc/ld.so.cache")
    #expect(throws: EBPFError.self) { try LibraryCache(parsing: Bytes([])) }
    var state: UInt64 = 9
    for round in 0..<400 {
      var bytes = original
      for _ in 0..<8 {
        state = state &* 6_364_136_223_846_793_005 &+ 1
        bytes[Int(state >> 33) % (round % 2 == 0 ? 256 : bytes.count)] =
          UInt8(truncatingIfNeeded: state >> 20)
      }
      if round % 5 == 0 { bytes.removeLast(Int(state >> 33) % bytes.count) }
      do throws(EBPFError) {
        let paths = try LibraryCache(parsing: Bytes(bytes)).paths(for: "libc.so.6")
        #expect(paths.count <= bytes.count)
      } catch { #expect(!error.message.isEmpty) }
    }
  }
}
