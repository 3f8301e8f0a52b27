import ApusCore
import Foundation
import Testing

@Suite struct ParameterFilterTests {
  private let kernel = Parameter("k", value: NDArray(zeros: [2, 3]))
  private let bias = Parameter("b", value: NDArray(zeros: [3]))

  @Test func pathsTakeStars() {
    let cases: [(String, String, Bool)] = [
      ("body.*", "body.conv.kernel", true), ("body.*", "head.kernel", false), ("body", "body.conv", false),
      ("*", "", true), ("*.bias", "a.b.bias", true), ("*.bias", "a.bias.c", false), ("a*b*c", "aXbYbZc", true),
      ("a*b*c", "acb", false), ("ab*ba", "aba", false), ("**", "x", true), ("", "x", false),
    ]
    for (pattern, path, matches) in cases {
      #expect(ParameterFilter.path(pattern).matches(path, kernel) == matches, "\(pattern) and \(path)")
    }
  }

  @Test func filtersCompose() {
    #expect(ParameterFilter.kernels.matches("x", kernel) && !ParameterFilter.kernels.matches("x", bias))
    #expect(ParameterFilter.biasesAndNorms.matches("x", bias))
    let both = ParameterFilter.path("a.*") && !.kernels
    #expect(both.matches("a.b", bias) && !both.matches("a.b", kernel) && !both.matches("b", bias))
    #expect(ParameterFilter.matching { path, _ in path.count == 3 }.matches("abc", bias))
  }

  @Test func filesHoldFilters() throws {
    for filter in [ParameterFilter.all, .kernels, .biasesAndNorms, (.path("a.*") || .path("b")) && !.kernels] {
      let encoded = try JSONEncoder().encode(filter)
      #expect(try JSONDecoder().decode(ParameterFilter.self, from: encoded).description == filter.description)
    }
    let opaque = try JSONEncoder().encode(ParameterFilter.matching { _, _ in true })
    #expect(throws: DecodingError.self) { try JSONDecoder().decode(ParameterFilter.self, from: opaque) }
    for text in [#"{"or": []}"#, #"{"kind": "x"}"#, "{}", "3"] {
      #expect(throws: DecodingError.self) { try JSONDecoder().decode(ParameterFilter.self, from: Data(text.utf8)) }
    }
  }
}
