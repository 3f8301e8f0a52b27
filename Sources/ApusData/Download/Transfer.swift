import ApusCore
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// One HTTP transfer into an open file, from the bytes it already has on.
///
/// The delegate runs on the session's serial queue; the calling thread touches the file again only after the
/// transfer has ended, which makes the unchecked `Sendable` true.
final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  struct Failure: Error {
    var reason: String
    /// Whether what has come in is worth going on from.
    var keepsBytes: Bool
  }

  private let remote: RemoteFile
  private let file: File
  private let timeout: Double
  private let progress: (@Sendable (Downloader.Progress) -> Void)?
  private let offset: Int

  private var received: Int
  private var total: Int?
  private var failure: (any Error)?
  private let ended = DispatchSemaphore(value: 0)
  /// Counts signs of life, for the watch in `run`.
  private let activity = Atomic<Int>(0)

  init(
    _ remote: RemoteFile, to file: File, from offset: Int, timeout: Double,
    progress: (@Sendable (Downloader.Progress) -> Void)?
  ) {
    self.remote = remote
    self.file = file
    self.offset = offset
    self.timeout = timeout
    self.progress = progress
    received = offset
  }

  /// Transfers, and returns when all has come in.
  ///
  /// - Throws: `Failure` for what the network or the server did, `FileError` for the disk.
  func run(_ address: String) throws {
    guard let url = URL(string: address) else { throw Failure(reason: "not an address", keepsBytes: true) }
    try file.seek(to: offset)
    var request = URLRequest(url: url, timeoutInterval: timeout)
    if offset > 0 { request.setValue("bytes=\(offset)-", forHTTPHeaderField: "Range") }
    // The files are compressed already; a server must not wrap them once more.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")

    let configuration = URLSessionConfiguration.ephemeral
    configuration.requestCachePolicy = .reloadIgnoringLocalCacheData
    let queue = OperationQueue()
    queue.maxConcurrentOperationCount = 1
    let session = URLSession(configuration: configuration, delegate: self, delegateQueue: queue)
    session.dataTask(with: request).resume()
    // Not every platform's session notices a silent server, so silence is watched here too.
    var seen = activity.load(ordering: .relaxed)
    while ended.wait(timeout: .now() + timeout) == .timedOut {
      let now = activity.load(ordering: .relaxed)
      if now == seen {
        session.invalidateAndCancel()
        ended.wait()
        throw Failure(reason: "nothing came for \(timeout) seconds", keepsBytes: true)
      }
      seen = now
    }
    session.finishTasksAndInvalidate()
    if let failure { throw failure }
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    activity.add(1, ordering: .relaxed)
    do {
      try accept(response)
      completionHandler(.allow)
    } catch {
      failure = error
      completionHandler(.cancel)
    }
  }

  private func accept(_ response: URLResponse) throws {
    guard let response = response as? HTTPURLResponse else {
      throw Failure(reason: "not an HTTP answer", keepsBytes: true)
    }
    if let type = response.value(forHTTPHeaderField: "Content-Type"), type.lowercased().hasPrefix("text/html") {
      throw Failure(reason: "status \(response.statusCode), a web page instead of the file", keepsBytes: offset > 0)
    }
    let length = response.value(forHTTPHeaderField: "Content-Length").flatMap(Int.init)
    switch response.statusCode {
    case 200:  // the whole file, whatever was asked for
      try file.truncate(to: 0)
      try file.seek(to: 0)
      received = 0
      total = length
    case 206:
      let range = response.value(forHTTPHeaderField: "Content-Range") ?? "nothing"
      guard range.hasPrefix("bytes \(offset)-") else {
        throw Failure(reason: "asked for the bytes from \(offset) on, it sent \(range)", keepsBytes: false)
      }
      total = length.map { $0 + offset }
    case 416:
      throw Failure(reason: "status 416: the partial file is longer than the file", keepsBytes: false)
    default:
      throw Failure(reason: "status \(response.statusCode)", keepsBytes: true)
    }
    if let total, total > remote.maximumByteCount { throw tooLong }
  }

  private var tooLong: Failure {
    Failure(reason: "it sends more than the \(remote.maximumByteCount) bytes the file may have", keepsBytes: false)
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    guard failure == nil else { return }
    activity.add(1, ordering: .relaxed)
    do {
      received += data.count
      if received > remote.maximumByteCount { throw tooLong }
      try data.withUnsafeBytes { try file.write($0) }
      progress?(.init(file: remote.name, receivedByteCount: received, totalByteCount: total))
    } catch {
      failure = error
      dataTask.cancel()
    }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: (any Error)?) {
    if failure == nil {
      if let error {
        failure = Failure(reason: error.localizedDescription, keepsBytes: true)
      } else if let total, received < total {
        failure = Failure(reason: "the connection ended after \(received) of \(total) bytes", keepsBytes: true)
      }
    }
    ended.signal()
  }
}
