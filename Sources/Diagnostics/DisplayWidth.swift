/// The number of terminal columns that a character fills: 0 for a lone combining mark, 2 for wide East Asian
/// characters and emoji, 1 for others.
func displayWidth(of character: Character) -> Int {
  var width = 0
  for scalar in character.unicodeScalars {
    // An emoji that is text by default becomes wide by the variation selector behind it.
    if scalar.value == 0xFE0F, width == 1, character.unicodeScalars.first?.properties.isEmoji == true { return 2 }
    width = max(width, displayWidth(of: scalar))
  }
  return width
}

private func displayWidth(of scalar: Unicode.Scalar) -> Int {
  if scalar.value < 0x300 { return 1 }
  if isWide(scalar) { return 2 }
  switch scalar.properties.generalCategory {
  case .nonspacingMark, .enclosingMark, .format: return 0
  default: break
  }
  // The vowels and finals of Hangul written in parts stand inside the block of their leading consonant.
  if (0x1160...0x11FF).contains(scalar.value) || (0xD7B0...0xD7FF).contains(scalar.value) { return 0 }
  return 1
}

/// Whether Unicode's East Asian Width (UAX #11) is Wide or Fullwidth, or the scalar is shown as an emoji.
private func isWide(_ scalar: Unicode.Scalar) -> Bool {
  switch scalar.value {
  case 0x1100...0x115F,  // leading consonants of Hangul
    0x2E80...0x303E, 0x3041...0x33FF, 0x3400...0x4DBF, 0x4E00...0x9FFF,  // CJK radicals, kana, ideographs
    0xA000...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3,  // Yi, Hangul
    0xF900...0xFAFF, 0xFE10...0xFE19, 0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6,  // compatibility, fullwidth
    0x16FE0...0x18DFF, 0x1AFF0...0x1B2FF,  // Tangut, Khitan, kana
    0x1F200...0x1F2FF, 0x1F900...0x1F9FF, 0x20000...0x3FFFD:  // enclosed ideographs, pictographs, ideographs
    return true
  case 0x1F1E6...0x1F1FF:
    // Two regional indicators make one flag; both are in the same character.
    return true
  default:
    return scalar.properties.isEmojiPresentation
  }
}
