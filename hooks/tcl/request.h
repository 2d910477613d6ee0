// What a callback must know of a request line (proto/hook/PROTOCOL.md, "Requests"), found without a parser where
// nothing is to be decoded: where no value has a quote in it, what stands between quotes is a key or a value, and no
// client can make up a key.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::tcl {

// How every request begins. Views are into the line, here and below.
struct Request {
  std::int64_t id;
  std::string_view event;
};

// None if the line is no request.
std::optional<Request> parse_request(std::string_view line);

// The last string of a message: a path, or the message itself as a JSON string or in base64.
struct Body {
  enum class Kind { kPath, kText, kBase64 };
  Kind kind = Kind::kPath;
  std::string_view value;  // still escaped
};

// A line that ends with a message, as those of deliver and deliver_mime do: the keys before it, and its last string.
struct Parts {
  std::string_view head;  // an object but for its closing brace
  Body body;
};
std::optional<Parts> find_message(std::string_view event, std::string_view line);

// The address of validate_*, the last string of the line. None if the line needs a parser: it has something to decode,
// a backslash or the twin of a text that is not UTF-8.
std::optional<std::string_view> find_address(std::string_view line);

// From and to, likewise.
struct Envelope {
  std::string_view from;
  std::vector<std::string_view> to;
};
std::optional<Envelope> find_envelope(std::string_view head);

// What a JSON string says, in UTF-8. None if it is no JSON string.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace hooksmtpd::tcl
