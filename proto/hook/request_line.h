// What a hook that is in a hurry must know of a request line (PROTOCOL.md, "Requests"), found without a parser: the
// daemon writes keys in one order, and a quote within a text has a backslash, so that no client can make up a key.

#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::hook {

// How every request begins. Views are into the line, here and below.
struct Beginning {
  std::int64_t id;
  std::string_view event;
};

// None if the line is no request.
std::optional<Beginning> parse_beginning(std::string_view line);

// The last string of a message: a path, or the message itself as a JSON string or in base64.
struct Body {
  enum class Kind { kPath, kText, kBase64 };
  Kind kind = Kind::kPath;
  std::string_view value;  // still escaped
};

// A line that ends with a message, as those of deliver and deliver_mime do.
struct Parts {
  std::string_view head;   // the keys before `message`: an object but for its closing brace
  std::string_view facts;  // all keys but the message's last: an object but for two closing braces
  Body body;
};
std::optional<Parts> find_message(std::string_view event, std::string_view line);

// The line of a disconnect that has a dialogue.
struct Told {
  std::string facts;          // an object: all but that
  std::string_view dialogue;  // an array
};
std::optional<Told> find_dialogue(std::string_view line);

// What a JSON string says, in UTF-8. None if it is no JSON string.
std::optional<std::string> unescaped(std::string_view text);

}  // namespace hooksmtpd::hook
