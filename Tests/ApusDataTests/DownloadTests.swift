#if canImport(Glibc)
  import ApusCore
  import Foundation
  import Synchronization
  import Testing

  @testable import ApusData

  @Suite(.serialized) struct DownloadTests {
    let folder = TemporaryFolder()
    let content = (0..<200_000).map { UInt8(truncatingIfNeeded: $0 &* 7 ^ $0 >> 8) }
    let downloader = Downloader(timeout: 5)

    private func file(_ server: TestServer, mirrors: String...) -> RemoteFile {
      RemoteFile(
        name: "data.bin", mirrors: mirrors.map(server.address), md5: MD5.hexDigest(of: content),
        maximumByteCount: 1 << 20)
    }

    /// Answers as a good server does, with ranges.
    private static func serve(_ content: [UInt8], _ request: TestServer.Request) -> TestServer.Answer {
      guard let offset = request.offset else { return .init(body: content) }
      if offset >= content.count { return .init(status: 416) }
      return .init(
        status: 206, headers: ["Content-Range": "bytes \(offset)-\(content.count - 1)/\(content.count)"],
        body: Array(content[offset...]))
    }

    @Test func aFileComesInAndIsChecked() throws {
      let server = try TestServer { [content] in Self.serve(content, $0) }
      let reports = Mutex<[Downloader.Progress]>([])
      let downloader = Downloader(timeout: 5) { report in reports.withLock { $0.append(report) } }
      try downloader.download([file(server, mirrors: "a")], into: folder.path("new/folder"), for: "set")
      #expect(folder.read("new/folder/data.bin") == content)
      #expect(folder.read("new/folder/data.bin.part") == nil)
      let last = try #require(reports.withLock { $0.last })
      #expect(last == .init(file: "data.bin", receivedByteCount: content.count, totalByteCount: content.count))
      // What is there is not fetched again.
      try downloader.download([file(server, mirrors: "a")], into: folder.path("new/folder"), for: "set")
      #expect(server.requests.count == 1)
    }

    @Test func anInterruptedTransferIsGoneOnWith() throws {
      let server = try TestServer { [content] request in
        var answer = Self.serve(content, request)
        if request.offset == nil { answer.cutAfter = 70_000 }
        return answer
      }
      try downloader.download([file(server, mirrors: "a", "b")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
      #expect(server.requests.map(\.path) == ["a", "b"])
      #expect(server.requests.last?.offset == 70_000)
    }

    @Test func aServerWithoutRangesSendsTheWholeFile() throws {
      let server = try TestServer { [content] _ in .init(body: content) }
      try folder.write(Array(content[..<1000]), to: "data.bin.part")
      try downloader.download([file(server, mirrors: "a")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
    }

    @Test func wrongRemainsAreThrownAway() throws {
      let server = try TestServer { [content] in Self.serve(content, $0) }
      try folder.write([1, 2, 3], to: "data.bin.part")
      try downloader.download([file(server, mirrors: "a")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
      #expect(server.requests.map(\.offset) == [3, nil])
      // Remains that are longer than the file.
      let other = TemporaryFolder()
      try other.write(content + [0], to: "data.bin.part")
      try downloader.download([file(server, mirrors: "a")], into: other.root, for: "set")
      #expect(other.read("data.bin") == content)
    }

    @Test func remainsThatAreWholeNeedNoNetwork() throws {
      let server = try TestServer { _ in .init(status: 500) }
      try folder.write(content, to: "data.bin.part")
      try downloader.download([file(server, mirrors: "a")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
      #expect(server.requests.isEmpty)
    }

    @Test func theNextMirrorIsTried() throws {
      let server = try TestServer { [content] request in
        switch request.path {
        case "missing": .init(status: 404, headers: ["Content-Type": "text/html"], body: Array("<html>".utf8))
        case "page": .init(headers: ["Content-Type": "text/html; charset=utf-8"], body: Array("<html>".utf8))
        case "wrong": .init(body: [1, 2, 3])
        case "long": .init(body: [UInt8](repeating: 0, count: (1 << 20) + 1))
        default: Self.serve(content, request)
        }
      }
      try downloader.download(
        [file(server, mirrors: "missing", "page", "wrong", "long", "good")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
      #expect(server.requests.map(\.path) == ["missing", "page", "wrong", "long", "good"])
      #expect(server.requests.allSatisfy { $0.offset == nil })
    }

    @Test func whenNoMirrorHasItTheMessageSaysHowToGoOn() throws {
      let server = try TestServer { request in
        request.path == "wrong" ? .init(body: [1, 2, 3]) : .init(status: 503)
      }
      let file = file(server, mirrors: "wrong", "down")
      let error = #expect(throws: DataError.self) { try downloader.download([file], into: folder.root, for: "MNIST") }
      let text = try #require(error?.description)
      #expect(error?.kind == .notFound)
      #expect(text.contains("the file has the MD5 sum 5289df737df57326fcdd22597afb1fac, not \(file.md5)"))
      #expect(text.contains("down: status 503"))
      #expect(text.contains("data.bin  MD5 \(file.md5)"))
      #expect(text.contains("--data-dir or APUS_DATA_DIR"))
      #expect(folder.read("data.bin") == nil && folder.read("data.bin.part") == nil)
    }

    @Test func aSilentServerIsGivenUp() throws {
      let server = try TestServer { [content] request in
        var answer = Self.serve(content, request)
        answer.stalls = request.path == "silent"
        return answer
      }
      try Downloader(timeout: 1).download([file(server, mirrors: "silent", "good")], into: folder.root, for: "set")
      #expect(folder.read("data.bin") == content)
    }

    @Test func twoThatWantTheSameFileTakeTurns() throws {
      let server = try TestServer { [content] in Self.serve(content, $0) }
      let file = file(server, mirrors: "a")
      let failures = Mutex<[String]>([])
      DispatchQueue.concurrentPerform(iterations: 4) { _ in
        do { try downloader.download([file], into: folder.root, for: "set") } catch {
          failures.withLock { $0.append("\(error)") }
        }
      }
      #expect(failures.withLock { $0 } == [])
      #expect(folder.read("data.bin") == content)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder.root) == ["data.bin"])
      #expect(server.requests.count == 1)
    }

    @Test func aRefusedConnectionIsAnError() throws {
      let file = RemoteFile(
        name: "data.bin", mirrors: ["http://127.0.0.1:1/x"], md5: "00000000000000000000000000000000",
        maximumByteCount: 10)
      #expect(throws: DataError.self) { try downloader.download([file], into: folder.root, for: "set") }
      // No empty folder is left, save one that was there.
      try FileManager.default.createDirectory(atPath: folder.path("there"), withIntermediateDirectories: true)
      #expect(throws: DataError.self) { try downloader.download([file], into: folder.path("there/a/b"), for: "set") }
      #expect(try FileManager.default.subpathsOfDirectory(atPath: folder.root) == ["there"])
    }

    /// An empty folder that is named is filled; one with other things in it is not.
    @Test func onlyAnEmptyFolderIsDownloadedInto() throws {
      let server = try TestServer { [content] in Self.serve(content, $0) }
      let files = PublishedFiles(
        set: "set", remotes: [file(server, mirrors: "a")], description: "data.bin", subfolder: "sub", otherPlaces: [])
      func locate(_ name: String) throws -> String {
        try files.locate(in: DataLocator(folder: folder.path(name), environment: [:]), downloader) { place in
          let path = FilePath.join(place, "data.bin")
          return FilePath.isFile(path) ? path : nil
        }
      }
      try folder.write([1], to: "full/notes.txt")
      #expect(throws: DataError.self) { try locate("full") }
      #expect(server.requests.isEmpty)
      try FileManager.default.createDirectory(atPath: folder.path("full/sub"), withIntermediateDirectories: true)
      #expect(try locate("full") == folder.path("full/sub/data.bin"))
      // What an interrupted transfer left does not count.
      try folder.write(Array(content[..<9]), to: "empty/data.bin.part")
      #expect(try locate("empty") == folder.path("empty/sub/data.bin"))
      #expect(server.requests.count == 2)
      #expect(try locate("empty") == folder.path("empty/sub/data.bin"))
      #expect(server.requests.count == 2)
    }

    /// Of a set's files those that are missing are fetched where the others are the published ones.
    @Test func anInterruptedSetIsGoneOnWith() throws {
      let files = Dictionary(
        uniqueKeysWithValues: ["train", "t10k"].flatMap { part in
          [
            ("\(part)-images-idx3-ubyte.gz", gzipStored(idx([1, 2, 2], [1, 2, 3, 4]))),
            ("\(part)-labels-idx1-ubyte.gz", gzipStored(idx([1], [1]))),
          ]
        })
      let server = try TestServer { Self.serve(files[$0.path] ?? [], $0) }
      let set = Publication(
        name: "set", title: "Set", model: "lenet5", imageShape: [2, 2, 1], classNames: ["a", "b"],
        counts: [.train: 1, .test: 1],
        remotes: files.sorted { $0.key < $1.key }.map { name, bytes in
          RemoteFile(
            name: name, mirrors: [server.address(name)], md5: MD5.hexDigest(of: bytes), maximumByteCount: 1 << 20)
        }, subfolder: "set", layouts: [IDXLayout.mnist])
      func load(_ cache: String) throws -> ImageDataset {
        try set.load(
          .train, from: DataLocator(environment: ["XDG_CACHE_HOME": folder.path(cache)]), downloader: downloader)
      }
      let images = "train-images-idx3-ubyte.gz"
      try folder.write(try #require(files[images]), to: "cache/apus/set/\(images)")
      #expect(try load("cache").labels.values(as: Int32.self) == [1])
      #expect(Set(server.requests.map(\.path)) == Set(files.keys).subtracting([images]))
      // Other files than the published ones are the user's own.
      try folder.write(gzipStored(idx([1, 2, 2], [5, 5, 5, 5])), to: "own/apus/set/\(images)")
      let error = #expect(throws: DataError.self) { try load("own") }
      #expect(error?.description.contains("train-labels-idx1-ubyte.gz is missing beside the other files") == true)
      #expect(server.requests.count == 3)
    }
  }
#endif
