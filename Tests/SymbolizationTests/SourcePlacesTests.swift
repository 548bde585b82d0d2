import EBPFObject
import EBPFSystem
import TestSupport
import Testing

@testable import Symbolization

/// Source lines and inlined functions by DWARF, compared with what llvm-symbolizer says.
@Suite struct SourcePlacesTests {
  private static let source = """
    #include <algorithm>
    #include <functional>
    #include <map>
    #include <numeric>
    #include <string>
    #include <vector>
    struct Point { int x, y; double length() const { return x * x + y * y; } };
    static int shortest(std::vector<Point> &all) {
      std::sort(all.begin(), all.end(),
                [](const Point &a, const Point &b) { return a.length() < b.length(); });
      return all[0].x;
    }
    int main(int count, char **) {
      std::vector<Point> all;
      for (int i = 0; i < 1000; i++) all.push_back({i * 7 % 13, i * 11 % 17});
      std::map<std::string, int> sums;
      for (auto &point : all) sums[std::to_string(point.x)] += point.y;
      std::function<int(int)> add = [&](int more) { return more + (int)sums.size(); };
      return shortest(all) + add(count) + std::accumulate(
        all.begin(), all.end(), 0, [](int sum, const Point &point) { return sum + point.x; });
    }
    """

  static let compilers: [[String]] = [
    ["g++", "-g", "-O2"], ["g++", "-gdwarf-4", "-O2", "-gz=zlib"], ["g++", "-g", "-O2", "-flto"],
    ["clang++", "-g", "-O2"], ["clang++", "-gdwarf-4", "-O1"], ["clang++", "-gdwarf64", "-O2"],
  ]

  @Test(arguments: compilers)
  func `places in C++ are those of llvm-symbolizer`(compiler: [String]) throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("program")
    _ = try Command.output(compiler + [try folder.write(Self.source, to: "a.cpp"), "-o", program])
    try compare(program, in: folder)
  }

  @Test func `places in Swift are those of llvm-symbolizer`() throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("program")
    let source = Fixtures.directory + "/workloads/unwind.swift"
    _ = try Command.output(["swiftc", "-O", "-g", "-parse-as-library", source, "-o", program])
    try compare(program, in: folder)
  }

  @Test(arguments: ["-gz=none", "-gz=zlib"])
  func `what was expanded is dropped, and expanded again for the next address`(
    compression: String
  ) throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("program")
    let source = try folder.write(Self.source, to: "a.cpp")
    _ = try Command.output(["g++", "-g", "-O2", compression, source, "-o", program])
    let file = try ELFFile(try MappedFile.open(program))
    let text = try #require(file.section(named: ".text"))
    let addresses = Array(text.address..<(text.address + text.size))
    var table = try #require(try SourcePlaces(file))
    let found = table.places(at: addresses)
    #expect(found.contains { $0.inlined.count > 1 })

    let isCompressed = compression == "-gz=zlib"
    let before = table.cost
    table.releaseExpanded()
    // More than 100 kB of debug information against the places of a few units.
    #expect(isCompressed ? before > 100_000 && table.cost < 10_000 : table.cost == before)
    #expect(table.places(at: addresses) == found)
    #expect(table.cost == before && !found.contains(where: \.isPartial))
  }

  /// Without the column; a line that is not known has no file, whatever is said of it.
  private static func line(_ text: String) -> String {
    let place = text.split(separator: ":").dropLast().joined(separator: ":")
    return place.hasSuffix(":0") ? "??:0" : place
  }

  private func compare(_ program: String, in folder: TemporaryDirectory) throws {
    let file = try ELFFile(try MappedFile.open(program))
    let text = try #require(file.section(named: ".text"))
    let step = Int(max(1, text.size / 3000))
    let addresses = Array(stride(from: text.address, to: text.address + text.size, by: step))
    let list = addresses.map { "0x" + String($0, radix: 16) }.joined(separator: "\n")
    let input = try folder.write(list + "\n", to: "addresses")
    let answer = try Command.output([
      "/bin/sh", "-c", "llvm-symbolizer --inlining --no-demangle -e \(program) <\(input)",
    ])
    var expected: [[String]] = [[]]
    for line in answer.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.isEmpty {
        expected.append([])
      } else {
        expected[expected.count - 1].append("\(line)")
      }
    }
    var table = try #require(try SourcePlaces(file))
    let found = table.places(at: addresses)
    #expect(!found.contains { $0.isPartial })
    var equal = 0
    var deep = 0
    var sameLines = 0
    var known = 0
    for (index, place) in found.enumerated() {
      // A name and a place for each function, the one that has the code last.
      let lines = expected[index]
      let names = stride(from: 0, to: lines.count, by: 2).map { lines[$0] }.dropLast()
      if place.inlined.map(\.name) == Array(names) { equal += 1 }
      if !names.isEmpty { deep += 1 }
      let sources = (place.inlined.map(\.source) + [place.source]).map {
        $0.map { "\($0.file):\($0.line)" } ?? "??:0"
      }
      let theirs = stride(from: 1, to: lines.count, by: 2).map { Self.line(lines[$0]) }
      if sources == theirs { sameLines += 1 }
      if place.source != nil { known += 1 }
    }
    #expect(addresses.count > 1000)
    #expect(deep > addresses.count / 5, "what is compared?")
    #expect(known > addresses.count / 3, "what is compared?")
    #expect(sameLines * 1000 >= addresses.count * 999, "\(sameLines) of \(addresses.count) lines")
    #expect(equal * 1000 >= addresses.count * 999, "\(equal) of \(addresses.count) are equal")
  }

  @Test func `lines that cannot be expanded leave the names, and say so`() throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("program")
    let source = try folder.write(Self.source, to: "a.cpp")
    _ = try Command.output(["g++", "-g", "-O2", "-gz=zlib", source, "-o", program])
    var bytes = try SystemFile.read(program)
    let file = try ELFFile(Bytes(bytes))
    let text = try #require(file.section(named: ".text"))
    let lines = try #require(file.section(named: ".debug_line"))
    let addresses = Array(text.address..<(text.address + text.size))
    var whole = try #require(try SourcePlaces(file))
    let places = whole.places(at: addresses)
    #expect(places.contains { $0.source != nil && !$0.inlined.isEmpty })
    for index in Int(lines.offset) + 32..<Int(lines.offset + lines.size) { bytes[index] ^= 0x55 }
    var damaged = try #require(try SourcePlaces(try ELFFile(Bytes(bytes))))
    let left = damaged.places(at: addresses)
    #expect(left.map { $0.inlined.map(\.name) } == places.map { $0.inlined.map(\.name) })
    #expect(left.allSatisfy { $0.source == nil })
    #expect(zip(left, places).allSatisfy { $0.isPartial || $1.source == nil })
  }

  @Test func `damaged debug information gives fewer names, never a trap`() throws {
    let folder = try TemporaryDirectory()
    let program = folder.file("program")
    let source = Fixtures.directory + "/workloads/unwind.c"
    _ = try Command.output(["cc", "-g", "-O2", "-w", source, "-o", program])
    let original = try SystemFile.read(program)
    let file = try ELFFile(Bytes(original))
    let sections = file.sections.filter { $0.name.hasPrefix(".debug_") }
    let text = try #require(file.section(named: ".text"))
    let addresses = Array(text.address..<(text.address + text.size))
    var state: UInt64 = 11
    func random(_ limit: UInt64) -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return (state >> 33) % limit
    }
    var partial = 0
    for _ in 0..<300 {
      var bytes = original
      for _ in 0..<(1 + random(8)) {
        let section = sections[Int(random(UInt64(sections.count)))]
        bytes[Int(section.offset + random(section.size))] = UInt8(random(256))
      }
      var table = try #require(try SourcePlaces(try ELFFile(Bytes(bytes))))
      let places = table.places(at: addresses)
      #expect(places.count == addresses.count)
      partial += places.count { $0.isPartial }
    }
    #expect(partial > 0)
  }
}
