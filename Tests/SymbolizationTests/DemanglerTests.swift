import TestSupport
import Testing

@testable import Symbolization

@Suite struct DemanglerTests {
  private static let full = Demangler(style: .full)
  private static let simplified = Demangler()

  /// Names of functions in a file, as nm has them, every `step`-th.
  private func names(_ path: String, prefix: String, step: Int, dynamic: Bool = true) throws
    -> [String]
  {
    let output = try Command.output(["nm", dynamic ? "-D" : "-a", path])
    let all = output.split(separator: "\n").compactMap { line -> String? in
      let fields = line.split(separator: " ")
      guard fields.count == 3, let name = fields.last, name.hasPrefix(prefix) else { return nil }
      return String(name.prefix { $0 != "@" })
    }
    return stride(from: 0, to: all.count, by: step).map { all[$0] }
  }

  @Test func `Swift names are those of swift-demangle`() throws {
    let library = try Toolchain.library("libswiftCore.so")
    let names = try names(library, prefix: "$s", step: 7)
    #expect(names.count > 1000)
    let input = names.joined(separator: "\n") + "\n"
    let output = try Command.output(
      ["swift-demangle", "--compact", "--no-sugar"], input: Array(input.utf8))
    let wanted = output.split(separator: "\n").map(String.init)
    try #require(wanted.count == names.count)
    for (name, wanted) in zip(names, wanted) { #expect(Self.full.demangle(name) == wanted) }
  }

  @Test func `C++ names are those of c++filt`() throws {
    let library = try Toolchain.library("libswiftCore.so")
    let names = try names(library, prefix: "_Z", step: 3, dynamic: false)
    #expect(names.count > 500)
    let input = names.joined(separator: "\n") + "\n"
    let output = try Command.output(["c++filt", "-s", "gnu-v3"], input: Array(input.utf8))
    let wanted = output.split(separator: "\n").map(String.init)
    try #require(wanted.count == names.count)
    // The C++ runtime and c++filt are of different versions, which write some lambdas differently.
    let different = zip(names, wanted).filter { Self.full.demangle($0) != $1 }
    #expect(different.count <= names.count / 200, "\(different.prefix(5))")
  }

  private static let rustSource = """
    #![allow(dead_code)]
    mod shapes {
        pub trait Area { fn area(&self) -> f64; const SIDES: usize; }
        pub struct Square<const N: usize>;
        impl<const N: usize> Area for Square<N> {
            #[inline(never)] fn area(&self) -> f64 { std::hint::black_box(N as f64) }
            const SIDES: usize = 4;
        }
        pub struct Pair<A, B>(pub A, pub B);
        impl<A: Clone, B> Pair<A, B> {
            #[inline(never)] pub fn first(&self) -> A { std::hint::black_box(self.0.clone()) }
        }
    }
    use shapes::*;
    #[inline(never)] fn apply<F: Fn(i32) -> i32>(f: F) -> i32 { std::hint::black_box(f)(3) }
    #[inline(never)] fn dynamic(a: &dyn Area2<Out = u8>) -> u8 { a.get() }
    trait Area2 { type Out; fn get(&self) -> Self::Out; }
    impl Area2 for [u8; 3] { type Out = u8; #[inline(never)] fn get(&self) -> u8 { self[0] } }
    impl<'a> Area2 for (&'a str, *const i8) { type Out = u8;
        #[inline(never)] fn get(&self) -> u8 { std::hint::black_box(self.0.len() as u8) } }
    #[inline(never)] fn pointers<T>(x: T) -> T { std::hint::black_box(x) }
    struct Flag<const B: bool, const C: char, const I: i8>;
    impl<const B: bool, const C: char, const I: i8> Flag<B, C, I> {
        #[inline(never)] fn show(&self) -> bool { std::hint::black_box(B) }
    }
    #[inline(never)] fn größe() -> usize { std::hint::black_box(7) }
    extern "C" fn callback(x: i32) -> i32 { x }
    fn main() {
        let p = Pair(1u8, "x");
        println!("{} {}", p.first(), Square::<5>.area());
        println!("{}", apply(|x| x + 1));
        println!("{}", dynamic(&[1u8, 2, 3]) + ("a", std::ptr::null()).get());
        pointers::<extern "C" fn(i32) -> i32>(callback)(1);
        pointers::<for<'a> fn(&'a str, &mut [u8]) -> &'a str>(|a, _| a)("", &mut []);
        pointers::<Box<dyn for<'b> Fn(&'b u8) -> &'b u8 + Send>>(Box::new(|x| x))(&1);
        pointers::<(i32,)>((1,));
        println!("{}", Flag::<true, 'ß', -3>.show());
        println!("{}", größe());
    }
    """

  @Test func `Rust's new names are those of c++filt`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.rustSource, to: "names.rs")
    let program = folder.file("names")
    _ = try Command.output([
      "rustc", "-C", "symbol-mangling-version=v0", "-C", "opt-level=1", "-o", program, source,
    ])
    let names = try names(program, prefix: "_R", step: 1, dynamic: false)
    #expect(names.count > 100)
    let own = names.filter { $0.contains("5names") }
    #expect(own.count > 12)
    let input = names.joined(separator: "\n") + "\n"
    let output = try Command.output(["c++filt", "-s", "rust"], input: Array(input.utf8))
    let wanted = output.split(separator: "\n").map(String.init)
    try #require(wanted.count == names.count)
    for (name, binutils) in zip(names, wanted) where !binutils.contains("punycode{") {
      // binutils writes `5: usize` and `true: bool`, rustc's own demangler `5usize` and `true`.
      let wanted = binutils.replacing(": bool", with: "").replacing(": char", with: "")
        .replacing("'\\u{df}'", with: "'ß'").replacing(": usize", with: "usize")
        .replacing(": i8", with: "i8")
      #expect(Self.full.demangle(name) == wanted, "\(name)")
    }
    let shown = Set(own.map { Self.simplified.demangle($0) })
    #expect(shown.contains("names::größe"))
    #expect(shown.contains("<names::Flag<true, 'ß', -3>>::show"))
    #expect(shown.contains("<names::shapes::Square<5> as names::shapes::Area>::area"))
  }

  @Test func `Rust's old names are those of c++filt`() throws {
    let folder = try TemporaryDirectory()
    let source = try folder.write(Self.rustSource, to: "names.rs")
    let program = folder.file("names")
    let built = try Command.run(
      [
        "rustc", "-Z", "unstable-options", "-C", "symbol-mangling-version=legacy", "-C",
        "opt-level=1", "-o", program, source,
      ], environment: ["RUSTC_BOOTSTRAP": "1"])
    try #require(built.status == 0, "\(built.error)")
    let names = try names(program, prefix: "_ZN", step: 1, dynamic: false)
      .filter { Demangler.scheme(of: $0) == .rustLegacy }
    #expect(names.count > 12)
    let input = names.joined(separator: "\n") + "\n"
    let output = try Command.output(["c++filt", "-s", "rust"], input: Array(input.utf8))
    let wanted = output.split(separator: "\n").map(String.init)
    try #require(wanted.count == names.count)
    // binutils leaves characters outside ASCII escaped.
    for (name, wanted) in zip(names, wanted) where !wanted.contains("$u") {
      #expect(Self.full.demangle(name) == wanted, "\(name)")
    }
    #expect(names.contains { Self.simplified.demangle($0) == "names::größe" })
  }

  @Test(arguments: [
    ("_RNvC6_123foo3bar", "123foo::bar"),
    ("_RNvNtCs1234_7mycrate3foo3bar", "mycrate::foo::bar"),
    ("_RNCNvCs9ltgdHTiPiY_4main4mainE", nil),
    ("_RINvNtC3std3mem8align_ofjE", "std::mem::align_of::<usize>"),
    ("_RNvMs_NtCs1234_7mycrate3fooNtB4_3Bar3baz", "<mycrate::foo::Bar>::baz"),
    ("_RINvC1a1fRL0_hE", nil),
    ("_RINvC1a1fAhj20_E", "a::f::<[u8; 32]>"),
    ("_RINvC1a1fTEE", "a::f::<()>"),
    ("_RINvC1a1fDEL_E", "a::f::<dyn >"),
    ("_RINvC1a1fFEuE", "a::f::<fn()>"),
    ("_RINvC1a1fFUKCEzE", "a::f::<unsafe extern \"C\" fn() -> !>"),
  ])
  func `Rust names of the grammar are read by hand`(name: String, wanted: String?) {
    #expect(Self.simplified.demangle(name) == wanted ?? name)
  }

  @Test(arguments: [
    "", "_", "_Z", "$s", "_R", "main", "_T0", "_Z1", "_RNvC", "_ZN17h0123456789abcdefE",
    "_RB_", "_RNvB_1a", "_RIC1aB_E", "$sA", "$s9999999999999999999999", "_Z99999999999999999999",
    "_RNvC99999999999999999999a1b", "_RINvC1a1fKjffffffffffffffffffffffffffffffffff", "_Rs_",
  ])
  func `what is not mangled stays as it is`(name: String) {
    #expect(Self.full.demangle(name) == name)
  }

  @Test func `names that would grow without end stay as they are, at once`() {
    // Each type is a pair of the one before: 2^60 characters.
    let letters = Array("CDEFGHIJKLMNOPQRSTUVWXYZ")
    var swift = "$s1a1fyySDySiSiG_"
    for letter in letters { swift += "SDyA\(letter)A\(letter)G" }
    swift += "tF"
    var cxx = "_Z1fSt4pairIiiE"
    for letter in "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ" { cxx += "S_IS\(letter)_S\(letter)_E" }
    var rust = "_RINvC1a1f"
    var previous = "h"
    for _ in 0..<40 {
      let start = rust.utf8.count - 2
      rust += "T\(previous)\(previous)E"
      previous = "B" + base62(start)
    }
    rust += "E"
    let clock = ContinuousClock()
    for name in [swift, cxx, rust] {
      let elapsed = clock.measure { #expect(Self.full.demangle(name) == name) }
      #expect(elapsed < .milliseconds(500))
    }
  }

  private func base62(_ value: Int) -> String {
    guard value > 0 else { return "_" }
    let digits = Array("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
    var text = ""
    var rest = value - 1
    repeat {
      text = String(digits[rest % 62]) + text
      rest /= 62
    } while rest > 0
    return text + "_"
  }

  @Test func `deeply nested and mutated names come to an end`() {
    let nested = [
      "$s1a1fyy" + String(repeating: "Say", count: 1000) + "Si"
        + String(repeating: "G", count: 1000) + "F",
      "_Z1f" + String(repeating: "P", count: 4000) + "i",
      "_Z1f" + String(repeating: "1aI", count: 1000) + "i" + String(repeating: "E", count: 1000),
      "_RINvC1a1f" + String(repeating: "R", count: 4000) + "hE",
      "_R" + String(repeating: "N", count: 4000),
    ]
    for name in nested { #expect(Self.full.demangle(name).utf8.count <= 32_768) }
    var random = SystemRandom(seed: 7)
    let seeds = [
      "$s10Foundation4DataV5index6beforeS2i_tF", "_ZNSt6vectorIiSaIiEE9push_backEOi",
      "_RNvMs_NtCs1234_7mycrate3fooNtB4_3Bar3baz",
      "_ZN4core3ptr85drop_in_place$LT$std..rt..lang_start$LT$$LP$$RP$$GT$17h0123456789abcdefE",
    ]
    let alphabet = Array("$_0123456789aAbBeEfGiINORSTzZsL.".utf8)
    for round in 0..<20_000 {
      var bytes = Array(seeds[round % seeds.count].utf8)
      for _ in 0...Int(random.next() % 4) {
        bytes[Int(random.next() % UInt64(bytes.count))] =
          alphabet[Int(random.next() % UInt64(alphabet.count))]
      }
      #expect(!Self.simplified.demangle(String(decoding: bytes, as: UTF8.self)).isEmpty)
    }
  }

  @Test(arguments: [
    (
      "generic specialization <Swift.Array<Swift.Int>> of Swift.Sequence.map<A>() -> A",
      "specialized Swift.Sequence.map<A>() -> A"
    ),
    (
      "generic specialization <(Swift.Int) -> Swift.Bool> of main.f() -> ()",
      "specialized main.f() -> ()"
    ),
    ("merged main.f() -> ()", "main.f() -> ()"),
    (
      "partial apply forwarder for closure #1 () -> () in main.f()",
      "closure #1 () -> () in main.f()"
    ),
    ("(2) suspend resume partial function for main.f() async -> ()", "main.f() async -> ()"),
    ("main.(secret in _ABCDEF0123)() -> ()", "main.(secret in _ABCDEF0123)() -> ()"),
    ("main.f() -> () with unmangled suffix \".cold.1\"", "main.f() -> ()"),
    (
      "protocol witness for Swift.Iterator.next() -> A? in conformance main.S : Swift.Iterator in main",
      "Swift.Iterator.next() -> A?"
    ),
    ("(extension in Foundation):Swift.String.data() -> ()", "Swift.String.data() -> ()"),
  ])
  func `the simplified form leaves out what thunks add`(name: String, wanted: String) {
    #expect(SwiftNameSimplifier.simplify(name) == wanted)
  }
}

/// A small reproducible generator (xorshift64*).
struct SystemRandom {
  private var state: UInt64
  init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }
  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 2_685_821_657_736_338_717 >> 16
  }
}

/// The Swift toolchain that runs the tests.
enum Toolchain {
  static func library(_ name: String) throws -> String {
    let path = try Command.output(["sh", "-c", "readlink -f $(command -v swiftc)"])
    let root = path.split(separator: "\n")[0].split(separator: "/").dropLast(2)
    return "/" + root.joined(separator: "/") + "/lib/swift/linux/" + name
  }
}
