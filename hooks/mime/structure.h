// Where the parts of a message are (RFC 2046 §5.1).
//
// This reads a message line by line, once, and keeps headers and places only: it can stop at a limit before any memory
// went into what is beyond it, and every octet of a header stays what it was. GMime's parser can do neither; it reads
// what is in headers and bodies.
//
// Lines end with LF, with or without a CR. Of a header nothing is lost: a line that is no field is a defect. Where
// there is no blank line between header and body, the body begins with the first of two lines that are no fields, or
// with a line that begins with "--".

#pragma once

#include <memory>
#include <string_view>

#include "hooks/mime/budget.h"
#include "hooks/mime/node.h"
#include "hooks/mime/source.h"

namespace hooksmtpd::mime {

// What the message is in: nothing, or the part `number` of another message, `depth` parts deep.
struct Place {
  std::string_view number{};
  std::size_t depth = 0;
  bool utf8 = false;  // its header may be UTF-8 (RFC 6532)
};

// Octets of a preamble and an epilogue that are shown.
inline constexpr std::size_t kMaxAround = 64 * 1024;

// Look at the budget's refusal afterwards.
std::unique_ptr<Node> find_parts(const Source& message, const Place& place, Budget& budget);

}  // namespace hooksmtpd::mime
