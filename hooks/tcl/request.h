// What a callback must know of a request line (proto/hook/PROTOCOL.md, "Requests"), found without a parser: a line
// without a backslash has no quote in any value, so what stands between quotes is a key or a value, and no client can
// make up a key.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace hooksmtpd::tcl {

// Views into the line.
struct Request {
  std::int64_t id;
  std::string_view event;
};

// How every request begins; none if the line is no request.
std::optional<Request> parse_request(std::string_view line);

// What a callback is called with, views into the line.
struct Subject {
  struct Message {
    std::string_view from;
    std::vector<std::string_view> to;
  };
  std::string_view last;  // the address, or the path of the message
  std::optional<Message> message;
};

// None if the line needs a parser: it has something to decode, a backslash or the twin of a text that is not UTF-8.
std::optional<Subject> find_subject(std::string_view line);

}  // namespace hooksmtpd::tcl
