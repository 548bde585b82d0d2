internal import Profiles

/// What is new in a profile that grows: how much it has more of everything than the last time.
///
/// What is in use, and not a sum, stays as it is.
struct ProfileDelta: Sendable {
  /// A sample's process and stack, 128 bits of it: stacks of many thousand samples take no memory here.
  private struct Identity: Hashable, Sendable {
    var first: Int
    var second: Int
  }

  private var known: [Identity: [Int64]] = [:]

  /// The difference to the last profile, with the stacks of all.
  mutating func since(_ profile: Profile) -> Profile {
    let isSum = profile.valueTypes.map { !$0.type.hasPrefix("inuse_") }
    var news = profile
    var present: [Identity: [Int64]] = [:]
    present.reserveCapacity(profile.samples.count)
    for (index, sample) in profile.samples.enumerated() {
      let identity = ProfileDelta.identity(of: sample, in: profile)
      let before = known[identity]
      present[identity] = sample.values
      guard let before, before.count == sample.values.count else { continue }
      for value in sample.values.indices where isSum[value] {
        news.samples[index].values[value] = max(0, sample.values[value] - before[value])
      }
    }
    known = present
    return news
  }

  private static func identity(of sample: Profile.Sample, in profile: Profile) -> Identity {
    func hash(_ seed: UInt8) -> Int {
      var hasher = Hasher()
      hasher.combine(seed)
      if profile.processes.indices.contains(sample.process) {
        hasher.combine(profile.processes[sample.process])
      }
      guard profile.stacks.indices.contains(sample.stack) else { return hasher.finalize() }
      for index in profile.stacks[sample.stack] where profile.frames.indices.contains(index) {
        let frame = profile.frames[index]
        hasher.combine(frame.address)
        if frame.kind == .marker { hasher.combine(frame.name) }
      }
      return hasher.finalize()
    }
    return Identity(first: hash(0), second: hash(1))
  }
}
