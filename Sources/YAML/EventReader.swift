import CLibYAML
import MusterDiagnostics

/// libyaml's parser and the event it stands at, both at addresses that stay.
@safe struct EventReader: ~Copyable {
  private let parser: UnsafeMutablePointer<yaml_parser_t>
  /// The event read last. What it points to is valid until the next is read.
  let event: UnsafeMutablePointer<yaml_event_t>
  private let file: SourceFile

  /// - Parameter bytes: The text of `file`, which must outlive the reader.
  init(file: SourceFile, bytes: UnsafeBufferPointer<UInt8>) {
    self.file = file
    unsafe parser = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe event = UnsafeMutablePointer.allocate(capacity: 1)
    unsafe event.initialize(to: yaml_event_t())
    // Out of memory leaves the parser as zeros, with which the first event fails.
    unsafe parser.initialize(to: yaml_parser_t())
    if unsafe yaml_parser_initialize(parser) == 1 {
      unsafe yaml_parser_set_encoding(parser, YAML_UTF8_ENCODING)
      unsafe yaml_parser_set_input_string(parser, bytes.baseAddress, bytes.count)
    }
  }

  deinit {
    unsafe yaml_event_delete(event)
    unsafe yaml_parser_delete(parser)
    unsafe event.deallocate()
    unsafe parser.deallocate()
  }

  /// Reads the next event and returns its kind.
  func next() throws(Diagnostic) -> yaml_event_type_t {
    unsafe yaml_event_delete(event)
    guard unsafe parser.pointee.read_handler != nil, unsafe yaml_parser_parse(parser, event) == 1 else {
      throw unsafe SyntaxProblem(parser.pointee).diagnostic(in: file)
    }
    return unsafe event.pointee.type
  }

  var start: Position { unsafe Position(event.pointee.start_mark) }
  var end: Position { unsafe Position(event.pointee.end_mark) }
}

extension Position {
  init(_ mark: yaml_mark_t) {
    self.init(line: Int(clamping: mark.line) + 1, column: Int(clamping: mark.column) + 1)
  }
}
