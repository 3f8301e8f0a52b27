/// Values by key, of which those that were not used for longest make room for new ones.
///
/// The last few used stay whatever they take, so that work that goes round among them never makes one twice.
struct RecentlyUsed<Key: Hashable, Value> {
  /// How many are kept at most, and how many are kept at least.
  private static var most: Int { 16 }
  private static var least: Int { 4 }

  /// The sum of `byteCount` that is kept, but for the last few.
  let byteLimit: Int
  /// The last used at the end.
  private var entries: [(key: Key, value: Value, byteCount: Int)] = []

  init(byteLimit: Int) { self.byteLimit = byteLimit }

  var isEmpty: Bool { entries.isEmpty }

  /// The value of `key`, which thereby is the last used.
  mutating func use(_ key: Key) -> Value? {
    guard let index = entries.firstIndex(where: { $0.key == key }) else { return nil }
    let entry = entries.remove(at: index)
    entries.append(entry)
    return entry.value
  }

  /// Keeps a new value, which takes `byteCount` bytes.
  mutating func keep(_ value: Value, for key: Key, byteCount: Int) {
    entries.append((key, value, byteCount))
    var sum = entries.reduce(0) { $0 + $1.byteCount }
    while entries.count > Self.least, entries.count > Self.most || sum > byteLimit {
      sum -= entries.removeFirst().byteCount
    }
  }

  mutating func removeAll(where isUnwanted: (Key) -> Bool = { _ in true }) { entries.removeAll { isUnwanted($0.key) } }
}
