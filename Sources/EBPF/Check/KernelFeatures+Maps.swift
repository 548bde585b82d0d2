internal import EBPFSystem

extension KernelFeatures {
  /// Whether maps of a type can be created.
  public func mapType(_ type: MapType) -> Answer {
    answer("map \(type.rawValue)") { probe(type) }
  }

  private func probe(_ type: MapType) -> Answer {
    if type == .structOps {
      // Needs a structure of the kernel's; the program type says the same.
      return programType(.structOps)
    }
    do throws(EBPFError) {
      _ = try create(type)
      return Answer(verdict: .yes, reason: "", since: type.firstKernel)
    } catch {
      guard let number = error.systemCall?.errno else {
        return Answer(verdict: .unknown, reason: error.message, since: type.firstKernel)
      }
      return answer(
        Errno(rawValue: number), since: type.firstKernel,
        missing: "the kernel does not take maps of type \(type)")
    }
  }

  /// The smallest map of a type.
  private func create(_ type: MapType) throws(EBPFError) -> RawMap {
    var spec = MapSpec(name: "probe", type: type, keySize: 4, valueSize: 4, maxEntries: 1)
    var btf: SharedDescriptor?
    switch type {
    case .lpmTrie:
      spec.keySize = 8
      spec.flags = MapFlags.noPreallocation
    case .stackTrace: spec.valueSize = 8
    case .queue, .stack, .bloomFilter: spec.keySize = 0
    case .ringBuffer, .userRingBuffer:
      spec.maxEntries = UInt32(clamping: CurrentProcess.pageSize)
    case .cgroupStorageDeprecated, .perCPUCgroupStorageDeprecated:
      spec.keySize = 8
      spec.maxEntries = 0
    case .socketStorage, .inodeStorage, .taskStorage, .cgroupStorage:
      spec.flags = MapFlags.noPreallocation
      spec.maxEntries = 0
      var types = BTFBuilder()
      spec.keyTypeID = types.int("int", size: 4, encoding: 1)
      spec.valueTypeID = spec.keyTypeID
      btf = try load(types.build())
    case .arrayOfMaps, .hashOfMaps:
      spec.inner = [MapSpec(name: "inner", type: .array, keySize: 4, valueSize: 4, maxEntries: 1)]
    case .arena:
      spec.keySize = 0
      spec.valueSize = 0
      spec.flags = MapFlags.mappable
    case .deviceMap, .deviceMapHash, .cpuMap, .xskMap, .socketMap, .socketHash: break
    case .instructionArray: spec.valueSize = 16
    case .reusePortSocketArray: spec.valueSize = 8
    case .resizableHash: spec.flags = MapFlags.noPreallocation
    default: break
    }
    return try RawMap.create(spec, btf: btf?.number, token: token, kernel: kernel)
  }

  private func load(_ types: [UInt8]) throws(EBPFError) -> SharedDescriptor {
    var log = KernelLog.none
    do throws(Errno) {
      return SharedDescriptor(
        try kernel.loadBTF(types.span.rawBytes, token: token, log: &log))
    } catch {
      throw EBPFError(
        .system, "the kernel does not take BTF", systemCall: error.failure(of: "bpf(BPF_BTF_LOAD)"))
    }
  }

  /// Reading and writing many entries of a map at once.
  public var batchOperations: Answer {
    answer("batch") {
      let since = KernelVersion(5, 6)
      let spec = MapSpec(name: "probe", type: .hash, keySize: 4, valueSize: 4, maxEntries: 1)
      do throws(EBPFError) {
        let map = try RawMap.create(spec, token: token, kernel: kernel)
        var keys: [UInt8] = [0, 0, 0, 0]
        var values = keys
        var count: UInt32 = 1
        do throws(Errno) {
          var keySpan = keys.mutableSpan
          var valueSpan = values.mutableSpan
          var keyBytes = keySpan.rawMutableBytes
          var valueBytes = valueSpan.rawMutableBytes
          try kernel.batch(
            .update, map: map.fileDescriptor, cursor: BatchCursor(keySize: 4), keys: &keyBytes,
            values: &valueBytes, count: &count, flags: 0)
          return Answer(verdict: .yes, reason: "", since: since)
        } catch { return self.answer(error, since: since, missing: "no batch commands") }
      } catch { return Answer(verdict: .unknown, reason: error.message, since: since) }
    }
  }

  /// Whether the memory of maps counts for control groups, and no more against RLIMIT_MEMLOCK.
  public var memoryAccounting: Answer {
    answer("memory cgroup") {
      let since = KernelVersion(5, 11)
      // `bpf_ktime_get_coarse_ns` came with it, and nothing else tells without lowering the limit.
      let helper = self.helper(160, in: .socketFilter)
      guard helper.verdict == .no else {
        return Answer(verdict: helper.verdict, reason: helper.reason, since: since)
      }
      return Answer(
        verdict: .no, reason: "maps count against RLIMIT_MEMLOCK: raise it (ulimit -l)",
        since: since)
    }
  }
}
