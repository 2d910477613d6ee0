// What a callback must know of a request line beyond proto/hook/request_line.h, found without a parser where nothing is
// to be decoded: where no value has a quote in it, what stands between quotes is a key or a value.

#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace hooksmtpd::tcl {

// The address of validate_*, the last string of the line; a view into it. None if the line needs a parser: it has
// something to decode, a backslash or the twin of a text that is not UTF-8.
std::optional<std::string_view> find_address(std::string_view line);

// From and to, likewise.
struct Envelope {
  std::string_view from;
  std::vector<std::string_view> to;
};
std::optional<Envelope> find_envelope(std::string_view head);

}  // namespace hooksmtpd::tcl
