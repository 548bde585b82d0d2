extension COREResult {
  /// The result of a record that something in the kernel fits.
  init(
    local: COREValue?, target: COREValue?, candidates: [Candidate], of localBTF: BTF,
    _ targetBTF: BTF
  ) throws(EBPFError) {
    let (mine, other) = (local ?? COREValue(), target ?? COREValue())
    var isMismatch = false
    if mine.size != other.size {
      let (type, otherType) = (
        try localBTF.type(mine.typeID), try targetBTF.type(other.typeID)
      )
      // Upper bits of pointers and unsigned integers are zeros, so that they can be read at another
      // size; everything else would be misread.
      if type.kind == .int, otherType.kind == .int {
        let encodings = (
          try localBTF.integer(of: type).encoding, try targetBTF.integer(of: otherType).encoding
        )
        isMismatch = encodings.0 == 1 || encodings.1 == 1
      } else {
        isMismatch = type.kind != .pointer || otherType.kind != .pointer
      }
    }
    self.init(
      localValue: mine.value, targetValue: other.value, isPoisoned: target == nil || local == nil,
      candidates: candidates, reason: nil, validates: mine.validates, localSize: mine.size,
      targetSize: other.size, hasSizeMismatch: isMismatch, isUnsignedWord: mine.isUnsignedWord)
  }

  /// The result of a record that needs no comparison.
  init(local: COREValue, target: COREValue, candidates: [Candidate]) {
    self.init(
      localValue: local.value, targetValue: target.value, isPoisoned: false,
      candidates: candidates, reason: nil, validates: local.validates, localSize: 0,
      targetSize: 0, hasSizeMismatch: false, isUnsignedWord: false)
  }

  /// The result of a record that nothing in the kernel fits: a stand-in value, or poison.
  init(
    local: COREValue?, missing: COREValue?, candidates: [Candidate], reason: String
  ) {
    self.init(
      localValue: local?.value ?? 0, targetValue: missing?.value ?? 0, isPoisoned: missing == nil,
      candidates: candidates, reason: reason, validates: local?.validates ?? true, localSize: 0,
      targetSize: 0, hasSizeMismatch: false, isUnsignedWord: false)
  }

  /// The same result with the types that fit.
  func with(_ candidates: [Candidate]) -> COREResult {
    COREResult(
      localValue: localValue, targetValue: targetValue, isPoisoned: isPoisoned,
      candidates: candidates, reason: reason, validates: validates, localSize: localSize,
      targetSize: targetSize, hasSizeMismatch: hasSizeMismatch, isUnsignedWord: isUnsignedWord)
  }
}
