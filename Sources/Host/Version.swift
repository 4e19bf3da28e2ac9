/// The version of Muster, of its command line as of its library: each is only sure of its own.
package enum Version {
  package static let text = "0.1.0"
}
