/// How the version that a matrix asks for is compared with the one that is installed.
package enum PackageVersion {
  /// Whether `wanted` is the installed version: in full, or without what packaging adds to it, which is an epoch
  /// before a colon (`1:`) and a release behind the last hyphen (`-1.fc44`, `-r0`). So `1.2.0` is `1:1.2.0-1`, and `1.2`
  /// is not.
  package static func matches(installed: String, wanted: String) -> Bool {
    var forms: [Substring] = [installed[...]]
    if let colon = installed.firstIndex(of: ":"), installed[..<colon].allSatisfy(\.isNumber) {
      forms.append(installed[installed.index(after: colon)...])
    }
    for form in forms {
      if let hyphen = form.lastIndex(of: "-") { forms.append(form[..<hyphen]) }
    }
    return forms.contains { $0 == wanted }
  }
}
