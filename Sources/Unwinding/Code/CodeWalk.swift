internal import EBPFObject

/// Follows machine code from the starts of functions, to know the stack at each instruction where the
/// file does not say.
///
/// What a compiler makes is regular: the stack has one depth at each instruction, whatever the way
/// there. Where two ways disagree, the first one found is believed.
struct CodeWalk {
  private let code: Bytes
  /// The address of the first byte.
  private let address: UInt64
  /// For each byte: 0 for one not seen, else 1 + the index of its instruction's state.
  private var seen: [UInt32]
  private var states: [FrameState] = []
  private var numbers: [FrameState: UInt32] = [:]
  /// Places to go on from, with what is known there.
  private var pending: [(place: Int, state: FrameState)] = []
  /// What follows calls that may never return, and looks like the start of something else.
  private var doubtful: [(place: Int, state: FrameState)] = []
  /// Jumps through tables, by place.
  private var tableJumps: [Int: FrameState] = [:]
  /// For each byte: whether a function starts there.
  private var isStart: [Bool]
  /// For each byte: whether what is known of it is only that it comes after a call, which may be one
  /// that never returns. Who jumps there knows better.
  private var isDoubtful: [Bool]

  /// More code than this is not looked at: 6 bytes of memory are needed for each.
  static let largestCode = 2 << 20

  /// Code that begins at an address.
  init(_ code: Bytes, at address: UInt64) {
    self.code = code
    self.address = address
    seen = Array(repeating: 0, count: code.count)
    isStart = Array(repeating: false, count: code.count)
    isDoubtful = isStart
  }

  /// Follows the functions that are known to start at the addresses, then whatever they left out;
  /// `root` is where the kernel starts the file, if it is among them.
  mutating func follow(_ functions: some Sequence<UInt64>, root: UInt64) {
    for function in functions where function >= address {
      guard let place = Int(exactly: function - address) else { continue }
      start(at: place, as: function == root ? .root : .entry)
    }
    run()
    var place = 0
    // The last jump through a table in the function that `place` is in.
    var jump: FrameState?
    while place < seen.count {
      if isStart[place] { jump = nil }
      if !tableJumps.isEmpty, let found = tableJumps[place] { jump = found }
      if seen[place] == 0 {
        if let length = paddingLength(at: place) {
          place += length
          continue
        }
        if let state = state(ofUnseen: place, after: jump) {
          pending.append((place, state))
          run()
        }
      }
      place += 1
    }
  }

  /// Calls `emit` with each address from which on something else is known.
  func forEach(_ emit: (UInt64, FrameState?) -> Void) {
    var last: UInt32?
    for (place, number) in seen.enumerated() where number != last {
      last = number
      emit(address &+ UInt64(place), number == 0 ? nil : states[Int(number) - 1])
    }
  }

  private mutating func start(at place: Int, as state: FrameState = .entry) {
    guard place >= 0, place < seen.count, !isStart[place] else { return }
    isStart[place] = true
    pending.append((place, state))
  }

  private mutating func run() {
    while true {
      if let (place, state) = pending.popLast() {
        run(from: place, state)
      } else if let (place, state) = doubtful.popLast() {
        if seen[place] != 0 { continue }
        if beginsFunction(at: place) {
          start(at: place)
        } else {
          run(from: place, state, isAfterCall: true)
        }
      } else {
        return
      }
    }
  }

  /// Where a call that may never return is followed by the start of something else, after padding or
  /// without; nil where the code just goes on.
  private func placeAfterGap(behindCall next: Int) -> Int? {
    var place = next
    while place < seen.count, let length = paddingLength(at: place) { place += length }
    guard (address &+ UInt64(place)) % 16 == 0, place < seen.count else { return nil }
    return place
  }

  /// True for what functions begin with, and loops do not.
  private func beginsFunction(at place: Int) -> Bool {
    let span = code.span
    // endbr64
    if span.integer(at: place, as: UInt32.self) == 0xfa1e_0ff3 { return true }
    switch MachineInstruction(span, at: place)?.effect {
    case .push: return true
    case .moveStack(let distance): return distance < 0
    default: return false
    }
  }

  private mutating func run(from start: Int, _ first: FrameState, isAfterCall: Bool = false) {
    var place = start
    var state = first
    let isRoot = first == .root && !isAfterCall
    var isAfterCall = isAfterCall
    while place < seen.count,
      !isStart[place] || state == .entry || (isRoot && place == start)
    {
      if seen[place] != 0 {
        guard !isAfterCall, isDoubtful[place], states[Int(seen[place]) - 1] != state else { return }
      }
      guard let instruction = MachineInstruction(code.span, at: place),
        instruction.length <= seen.count - place
      else { return }
      let number = number(of: state)
      let next = place + instruction.length
      for byte in place..<next where seen[byte] == 0 || isDoubtful[byte] {
        seen[byte] = number
        isDoubtful[byte] = isAfterCall
      }
      state.apply(instruction.effect)
      switch instruction.effect {
      case .jump(let distance):
        goOn(from: next, by: distance, state)
        return
      case .branch(let distance): goOn(from: next, by: distance, state)
      case .call(let distance):
        let (target, overflow) = Int64(next).addingReportingOverflow(distance)
        if !overflow, let target = Int(exactly: target) { self.start(at: target) }
        if let after = placeAfterGap(behindCall: next) {
          doubtful.append((after, state))
          return
        }
        isAfterCall = true
      case .address(let distance):
        let (target, overflow) = Int64(next).addingReportingOverflow(distance)
        if !overflow, let target = Int(exactly: target),
          (address &+ UInt64(bitPattern: Int64(target))) % 16 == 0
        {
          self.start(at: target)
        }
      case .jumpAnywhere:
        if state != .entry { tableJumps[place] = state }
        return
      case .end: return
      default: break
      }
      place = next
    }
  }

  private mutating func goOn(from next: Int, by distance: Int64, _ state: FrameState) {
    let (target, overflow) = Int64(next).addingReportingOverflow(distance)
    guard !overflow, target >= 0, target < seen.count else { return }
    pending.append((Int(target), state))
  }

  private mutating func number(of state: FrameState) -> UInt32 {
    if let known = numbers[state] { return known }
    states.append(state)
    let number = UInt32(clamping: states.count)
    numbers[state] = number
    return number
  }

  /// What holds at code that nothing known leads to: a case of the table that its function jumps
  /// through, or a function that is only called by address.
  private func state(ofUnseen place: Int, after jump: FrameState?) -> FrameState? {
    jump ?? ((address &+ UInt64(place)) % 16 == 0 ? .entry : nil)
  }

  /// The length of an instruction that only fills: `nop` in all its lengths, `int3`, zeros.
  private func paddingLength(at place: Int) -> Int? {
    var position = place
    let span = code.span
    while let byte = span.integer(at: position, as: UInt8.self) {
      switch byte {
      case 0x66, 0x2e: position += 1
      case 0x90, 0xcc: return position + 1 - place
      case 0x00: return position == place ? 1 : nil
      case 0x0f:
        guard span.integer(at: position + 1, as: UInt8.self) == 0x1f else { return nil }
        return MachineInstruction(span, at: place)?.length
      default: return nil
      }
    }
    return nil
  }
}
