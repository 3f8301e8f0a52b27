import Apus
import ArgumentParser

/// `apus summary`
struct Summary: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Prints a network's layers, shapes and numbers of parameters.")

  @Argument(help: "The network.")
  var model: ModelName

  @Option(help: ArgumentHelp("Height, width and channels of a picture, such as 28x28x1.", valueName: "shape"))
  var input: ImageShape

  @Option(help: ArgumentHelp("Number of classes.", valueName: "n"))
  var classes = 10

  func validate() throws {
    try requireCount(classes, "--classes")
  }

  func run() throws {
    do {
      let network = try Models.make(model.name, inputShape: input.sizes, classes: classes)
      print(try network.summary(inputShape: input.sizes, name: model.name))
    } catch let error as GraphError {
      throw CommandError(
        .usage, "\(model.name) on \(input.sizes.shapeDescription): \(error); use pictures of another size")
    }
  }
}
