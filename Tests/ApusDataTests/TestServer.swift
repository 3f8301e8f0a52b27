#if canImport(Glibc)
  import Foundation
  import Glibc
  import Synchronization

  /// An HTTP server on 127.0.0.1 for one test: each request goes to a closure, which says how to (mis)behave.
  final class TestServer: Sendable {
    struct Answer {
      var status = 200
      var headers: [String: String] = [:]
      var body: [UInt8] = []
      /// The connection ends after so many bytes of the body, though the headers promise all.
      var cutAfter: Int?
      /// The headers are sent, and then nothing.
      var stalls = false
    }

    struct Request {
      var path: String
      /// From a `Range: bytes=N-` header.
      var offset: Int?
    }

    let port: UInt16
    private let listener: Int32
    private let seen = Mutex<[Request]>([])

    var requests: [Request] { seen.withLock { $0 } }

    func address(_ path: String) -> String { "http://127.0.0.1:\(port)/\(path)" }

    init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
      signal(SIGPIPE, SIG_IGN)  // a client that cancels must not end the test
      let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
      var length = socklen_t(MemoryLayout<sockaddr_in>.size)
      let isListening = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
          bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
        }
      }
      guard isListening else { throw POSIXError(.EADDRNOTAVAIL) }
      self.listener = listener
      port = UInt16(bigEndian: address.sin_port)
      Thread.detachNewThread { [weak self] in
        while true {
          let connection = accept(listener, nil, nil)
          if connection < 0 { return }
          guard let request = Self.readRequest(connection) else {
            close(connection)
            continue
          }
          self?.seen.withLock { $0.append(request) }
          Self.send(answer(request), on: connection)
        }
      }
    }

    deinit { shutdown(listener, Int32(SHUT_RDWR)) }

    private static func readRequest(_ connection: Int32) -> Request? {
      var text: [UInt8] = []
      var byte: UInt8 = 0
      while !text.suffix(4).elementsEqual("\r\n\r\n".utf8) {
        guard read(connection, &byte, 1) == 1 else { return nil }
        text.append(byte)
      }
      let lines = String(decoding: text, as: UTF8.self).split(separator: "\r\n")
      let path = lines[0].split(separator: " ")[1].dropFirst()
      let range = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
      return Request(path: String(path), offset: range.flatMap { Int($0.split(separator: "=")[1].dropLast()) })
    }

    private static func send(_ answer: Answer, on connection: Int32) {
      var headers = answer.headers
      headers["Content-Length"] = headers["Content-Length"] ?? String(answer.body.count)
      headers["Connection"] = "close"
      let head = "HTTP/1.1 \(answer.status) X\r\n" + headers.map { "\($0.key): \($0.value)\r\n" }.joined() + "\r\n"
      var bytes = Array(head.utf8)
      if !answer.stalls { bytes += answer.body.prefix(answer.cutAfter ?? .max) }
      var start = 0
      while start < bytes.count {
        let count = bytes[start...].withUnsafeBytes { write(connection, $0.baseAddress, $0.count) }
        if count <= 0 { break }
        start += count
      }
      if answer.stalls { return }  // the connection stays open until the process ends
      shutdown(connection, Int32(SHUT_WR))
      // Closing with unread input would reset the connection before the client has read.
      var byte: UInt8 = 0
      while read(connection, &byte, 1) > 0 {}
      close(connection)
    }
  }
#endif
