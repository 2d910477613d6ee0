// Encoded words in header fields (RFC 2047), as generously as people write them: anywhere, with blanks in them, with a
// character cut in two by the end of a word.

#pragma once

#include <string>
#include <string_view>

#include "hooks/mime/defects.h"

namespace hooksmtpd::mime {

struct DecodedText {
  std::string text;  // UTF-8; U+FFFD stands for what could not be decoded
  Defects defects;
};

// `line` is UTF-8 without line ends. What is no encoded word stays as it is.
DecodedText decode_words(std::string_view line);

}  // namespace hooksmtpd::mime
