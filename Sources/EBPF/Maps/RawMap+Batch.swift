internal import EBPFSystem

// Many elements with one system call (since Linux 5.6), or one by one where a map type has no batches.

extension RawMap {
  /// The most bytes of keys and values in one call.
  private static let batchBytes = 1 << 20

  /// Passes all elements to `body` by batches; false when this map, or this kernel, has none.
  func batched<State: ~Copyable>(
    _ command: BatchCommand, _ state: inout State,
    _ body: (inout State, RawSpan, RawSpan) throws(EBPFError) -> Void
  ) throws(EBPFError) -> Bool {
    guard keySize > 0 else { return false }
    let entrySize = max(1, keySize + elementSize)
    var capacity = max(1, min(Int(information.maxEntries), RawMap.batchBytes / entrySize))
    let cursor = BatchCursor(keySize: keySize)
    var keys: [UInt8] = []
    var values: [UInt8] = []
    while true {
      if keys.count != capacity * keySize {
        keys = [UInt8](repeating: 0, count: capacity * keySize)
        values = [UInt8](repeating: 0, count: capacity * elementSize)
      }
      var count = UInt32(clamping: capacity)
      let failure = call(command, cursor, &keys, &values, &count, flags: 0)
      switch failure {
      case nil, .noEntry?:
        let keyBytes = keys.span.rawBytes
        let valueBytes = values.span.rawBytes
        for index in 0..<min(Int(count), capacity) {
          try body(
            &state, keyBytes.extracting((index * keySize)..<((index + 1) * keySize)),
            valueBytes.extracting((index * elementSize)..<((index + 1) * elementSize)))
        }
        if failure != nil { return true }
      case .noSpace? where capacity < Int(information.maxEntries):
        // One bucket has more elements than there was room for.
        capacity = min(capacity * 2, Int(information.maxEntries))
      case .interrupted?, .again?: continue
      case .notSupported?, .notSupportedInternal?, .invalid?:
        guard !cursor.hasStarted else {
          throw EBPFError.iterating(self, failure ?? .invalid, call: RawMap.name(command))
        }
        return false
      case .some(let errno):
        throw EBPFError.iterating(self, errno, call: RawMap.name(command))
      }
    }
  }

  private func call(
    _ command: BatchCommand, _ cursor: BatchCursor, _ keys: inout [UInt8],
    _ values: inout [UInt8], _ count: inout UInt32, flags: UInt64
  ) -> Errno? {
    var keySpan = keys.mutableSpan
    var keyBytes = keySpan.rawMutableBytes
    var valueSpan = values.mutableSpan
    var valueBytes = valueSpan.rawMutableBytes
    do throws(Errno) {
      try kernel.batch(
        command, map: fileDescriptor, cursor: cursor, keys: &keyBytes, values: &valueBytes,
        count: &count, flags: flags)
      return nil
    } catch { return error }
  }

  private static func name(_ command: BatchCommand) -> String {
    switch command {
    case .lookup: "bpf(BPF_MAP_LOOKUP_BATCH)"
    case .lookupAndDelete: "bpf(BPF_MAP_LOOKUP_AND_DELETE_BATCH)"
    case .update: "bpf(BPF_MAP_UPDATE_BATCH)"
    case .delete: "bpf(BPF_MAP_DELETE_BATCH)"
    }
  }

  // MARK: Writing

  /// Writes many elements. When one is refused, those before it have been written, and the error says
  /// which it was.
  public func update(_ entries: [Entry], _ policy: UpdatePolicy = .any) throws(EBPFError) {
    for entry in entries { try check(entry) }
    var start = 0
    while start < entries.count {
      let chunk = entries[start..<min(entries.count, start + batchCapacity)]
      var keys = chunk.flatMap(\.key)
      var values = chunk.flatMap(\.value)
      let (done, failure) = step(.update, &keys, &values, chunk.count, flags: policy.rawValue)
      start += done
      switch failure {
      case nil: continue
      case .notSupported?, .notSupportedInternal?, .invalid?:
        guard done == 0 else { throw refused(entries, start, policy, failure ?? .invalid) }
        try updateOneByOne(entries[start...], policy)
        return
      case .interrupted?, .again?: continue
      case .some(let errno): throw refused(entries, start, policy, errno)
      }
    }
  }

  private func updateOneByOne(
    _ entries: ArraySlice<Entry>, _ policy: UpdatePolicy
  ) throws(EBPFError) {
    for (index, entry) in zip(entries.indices, entries) {
      try EBPFError.at(.other("entry", String(index))) { () throws(EBPFError) in
        try update(entry.key, entry.value, policy)
      }
    }
  }

  private func refused(
    _ entries: [Entry], _ index: Int, _ policy: UpdatePolicy, _ errno: Errno
  ) -> EBPFError {
    EBPFError.updating(self, policy, errno).within(.other("entry", String(index)))
  }

  private func check(_ entry: Entry) throws(EBPFError) {
    guard entry.key.count == keySize, entry.value.count == elementSize else {
      throw EBPFError(
        .invalidArgument,
        "the entry is \(entry.key.count) + \(entry.value.count) bytes, but entries of map '\(name)'"
          + " are \(keySize) + \(elementSize) bytes", context: [.map(name)])
    }
  }

  private var batchCapacity: Int {
    max(1, RawMap.batchBytes / max(1, keySize + elementSize))
  }

  /// Deletes many keys; those that are not there are passed over. The number deleted.
  @discardableResult
  public func delete(_ keys: [[UInt8]]) throws(EBPFError) -> Int {
    for key in keys where key.count != keySize {
      throw EBPFError(
        .invalidArgument,
        "the key is \(key.count) bytes, but keys of map '\(name)' are \(keySize) bytes",
        context: [.map(name)])
    }
    var start = 0
    var deleted = 0
    while start < keys.count {
      let chunk = keys[start..<min(keys.count, start + batchCapacity)]
      var bytes = chunk.flatMap { $0 }
      var none: [UInt8] = []
      let (done, failure) = step(.delete, &bytes, &none, chunk.count, flags: 0)
      start += done
      deleted += done
      switch failure {
      case nil, .interrupted?, .again?: continue
      case .noEntry?:
        // The kernel stops at a missing key.
        start += 1
      case .notSupported?, .notSupportedInternal?, .invalid?:
        for key in keys[start...] where try delete(key) { deleted += 1 }
        return deleted
      case .some(let errno): throw EBPFError.deleting(self, errno)
      }
    }
    return deleted
  }

  private func step(
    _ command: BatchCommand, _ keys: inout [UInt8], _ values: inout [UInt8], _ count: Int,
    flags: UInt64
  ) -> (done: Int, failure: Errno?) {
    var done = UInt32(clamping: count)
    let failure = call(
      command, BatchCursor(keySize: keySize), &keys, &values, &done, flags: flags)
    // A command that does not exist leaves the count as it was.
    if failure == .notSupported || failure == .notSupportedInternal || failure == .invalid {
      return (Int(done) == count ? 0 : Int(done), failure)
    }
    return (failure == nil ? count : min(Int(done), count), failure)
  }
}
