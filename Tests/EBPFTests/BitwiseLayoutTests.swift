import EBPFSystem
import TestSupport
import Testing

@testable import EBPF

@Suite struct BitwiseLayoutTests {
  struct Flow: BitwiseCopyable {
    var source: UInt32
    var destination: UInt32
    var ports: (UInt16, UInt16)
  }
  struct Padded: BitwiseCopyable {
    var kind: UInt8
    var id: UInt32
  }
  struct PaddedAtEnd: BitwiseCopyable {
    var id: UInt64
    var cpu: UInt32
  }
  struct Named: BitwiseCopyable {
    var name: InlineArray<16, UInt8>
    var inner: InlineArray<2, Padded>
  }
  struct WithBool: BitwiseCopyable {
    var id: UInt32
    var isOn: Bool
  }
  enum Color: UInt8, BitwiseCopyable { case red, green }

  @Test func `the bytes of fields are counted through structures, tuples and inline arrays`() {
    #expect(BitwiseLayout(of: UInt64.self).fieldBytes == 8)
    #expect(BitwiseLayout(of: Double.self).fieldBytes == 8)
    #expect(BitwiseLayout(of: Flow.self).fieldBytes == 12)
    #expect(BitwiseLayout(of: Padded.self).fieldBytes == 5)
    #expect(BitwiseLayout(of: Named.self).fieldBytes == 16 + 2 * 5)
    #expect(BitwiseLayout(of: InlineArray<3, UInt16>.self).fieldBytes == 6)
  }

  @Test func `a type with meaningless bit patterns is named with its path`() {
    #expect(BitwiseLayout(of: WithBool.self).badField == "isOn: Bool")
    #expect(BitwiseLayout(of: Color.self).badField == "Color")
    #expect(BitwiseLayout(of: InlineArray<2, WithBool>.self).badField == "[].isOn: Bool")
    #expect(BitwiseLayout(of: Flow.self).badField == nil)
  }

  private func map(key: UInt32, value: UInt32) throws -> RawMap {
    var information = MapInformation()
    information.type = MapType.hash.rawValue
    information.keySize = key
    information.valueSize = value
    information.name = "flows"
    let kernel = RefusingKernel(information, .inputOutput)
    return try RawMap(owning: kernel.emptyDescriptor(), kernel: kernel)
  }

  @Test func `sizes that fit make a map, and C's padding at the end of a value does not matter`()
    throws
  {
    _ = try Map<Flow, UInt64>(map(key: 12, value: 8))
    _ = try Map<UInt32, PaddedAtEnd>(map(key: 4, value: 16))
    _ = try Map<UInt32, PaddedAtEnd>(map(key: 4, value: 12))
  }

  @Test func `a key with padding is refused, inside and at its end`() throws {
    let inside = #expect(throws: EBPFError.self) {
      _ = try Map<Padded, UInt64>(map(key: 8, value: 8))
    }
    #expect(
      inside?.description == """
        layout_mismatch: key type Padded has 3 bytes of padding, which the kernel would hash too
          map          flows
          hint         name the padding as fields and set them to 0
        """)
    let end = #expect(throws: EBPFError.self) {
      _ = try Map<PaddedAtEnd, UInt64>(map(key: 16, value: 8))
    }
    #expect(
      end?.message
        == "key type PaddedAtEnd has 4 bytes of padding, which the kernel would hash too")
  }

  @Test func `a size that differs names both sizes`() throws {
    let key = #expect(throws: EBPFError.self) {
      _ = try Map<UInt32, UInt64>(map(key: 8, value: 8))
    }
    #expect(key?.message == "key type UInt32 is 4 bytes, but keys of map 'flows' are 8 bytes")
    let value = #expect(throws: EBPFError.self) {
      _ = try Map<UInt64, UInt32>(map(key: 8, value: 8))
    }
    #expect(
      value?.message == "value type UInt32 is 4 bytes, but values of map 'flows' are 8 bytes")
  }

  @Test func `a Bool in a value is refused`() throws {
    let error = #expect(throws: EBPFError.self) {
      _ = try Map<UInt32, WithBool>(map(key: 4, value: 8))
    }
    #expect(
      error?.message == "the value type holds 'isOn: Bool', for which not every byte is a value")
  }

  @Test func `one value and a value for each CPU are different types`() throws {
    let error = #expect(throws: EBPFError.self) {
      _ = try PerCPUMap<UInt32, UInt64>(map(key: 4, value: 8))
    }
    #expect(error?.message == "map 'flows' has one value for all CPUs")
  }
}
