import EBPF

extension ObjectReport {
  /// Something the object expects the kernel to have.
  struct Extern {
    let name: String
    /// `kconfig`, `kfunc` or `ksym`.
    let kind: String
    let isWeak: Bool
  }

  /// What the object expects the kernel to have.
  var externs: [Extern] {
    guard let object else { return [] }
    return object.configuration.map {
      Extern(name: $0.name, kind: "kconfig", isWeak: $0.isWeak)
    }
      + object.kernelSymbols.map {
        Extern(name: $0.name, kind: $0.isFunction ? "kfunc" : "ksym", isWeak: $0.isWeak)
      }
  }
}

extension ObjectReport.Program {
  /// The helpers it calls, named as in C; `#300` for an unknown one.
  var helperNames: [String] { helpers.map { $0.hasPrefix("#") ? $0 : "bpf_" + $0 } }
}

extension CORERecord.Kind {
  /// The question in the words of `bpf_core_read.h`.
  var words: String {
    switch self {
    case .fieldByteOffset: "field_byte_offset"
    case .fieldByteSize: "field_byte_size"
    case .fieldExists: "field_exists"
    case .fieldSigned: "field_signed"
    case .fieldLeftShift: "field_lshift_u64"
    case .fieldRightShift: "field_rshift_u64"
    case .typeIDLocal: "type_id_local"
    case .typeIDTarget: "type_id_target"
    case .typeExists: "type_exists"
    case .typeSize: "type_size"
    case .enumeratorExists: "enumval_exists"
    case .enumeratorValue: "enumval_value"
    case .typeMatches: "type_matches"
    }
  }
}
