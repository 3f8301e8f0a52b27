import ApusCore

#if canImport(Darwin)
  import Darwin
#elseif canImport(Musl)
  import Musl
#else
  import Glibc
#endif

extension ImageFolder {
  /// The folder's name, the number of pictures, and the MD5 sum of each one's path, size in bytes and class, so that a
  /// picture that comes, goes, changes its size or its class is noticed without reading all of them.
  public var identity: DataIdentity {
    var digest = MD5()
    for (path, label) in zip(paths, labels) {
      let whole = FilePath.join(folder, path)
      var status = stat()
      // Links that lead nowhere are bad pictures, no reason to stop.
      let size = stat(FilePath.system(whole), &status) == 0 ? Int(status.st_size) : -1
      let line = Array("\(path)\0\(size)\0\(classNames[Int(label)])\n".utf8)
      line.withUnsafeBytes { digest.update($0) }
    }
    return DataIdentity(name: name, count: count, md5: digest.finish())
  }
}
