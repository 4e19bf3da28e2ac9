/// Text made safe to print: what would move the cursor, hide text or turn its direction is shown instead of done.
package func harmless(_ text: String) -> String {
  guard text.unicodeScalars.contains(where: { replacement(for: $0) != nil }) else { return text }
  var result = ""
  for scalar in text.unicodeScalars {
    if let replacement = replacement(for: scalar) {
      result += replacement
    } else {
      result.unicodeScalars.append(scalar)
    }
  }
  return result
}

/// What is printed for a scalar that must not reach a terminal as it is; `nil` when it may.
///
/// Joiners and variation selectors stay, since emoji and some scripts are written with them.
func replacement(for scalar: Unicode.Scalar) -> String? {
  switch scalar.value {
  case 0x20...0x7E:
    return nil
  case 0x00...0x1F:
    // The Unicode block of control pictures: ␀ to ␟.
    return Unicode.Scalar(0x2400 + scalar.value).map { String(Character($0)) }
  case 0x7F:
    return "␡"
  case 0x80...0x9F, 0xAD, 0x061C, 0x180E, 0x200B, 0x200E...0x200F, 0x2028...0x202E, 0x2060...0x206F, 0xFEFF,
    0xFFF9...0xFFFB, 0xE0000...0xE0001:
    let digits = String(scalar.value, radix: 16, uppercase: true)
    return "<U+" + String(repeating: "0", count: max(0, 4 - digits.count)) + digits + ">"
  default:
    return nil
  }
}
