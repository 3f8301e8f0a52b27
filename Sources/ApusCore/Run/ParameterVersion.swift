/// Counts the changes of a parameter's memory: of an arena, for all the parameters that lie in it.
package final class ParameterVersion {
  package private(set) var count = 0

  package func advance() { count += 1 }
}
