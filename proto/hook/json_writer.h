// Writes compact JSON in pure ASCII at the end of a string: no tree, and no memory but the string's.
//
// The caller sees to it that keys, begins and ends fit each other; commas come by themselves. Keys are ASCII without
// anything to escape.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::hook {

class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  void begin_object();
  void begin_object(std::string_view key);
  void end_object() { out_ += '}'; }
  void begin_array(std::string_view key);
  void end_array() { out_ += ']'; }

  void number(std::string_view key, std::uint64_t value);
  void boolean(std::string_view key, bool value);

  // Bytes from outside. What is not UTF-8 becomes U+FFFD, octet by octet, and the twin `<key>_b64` stands before it.
  void text(std::string_view key, std::string_view value);
  // A text that comes in pieces, each of whole characters.
  void begin_text(std::string_view key);
  void more_text(std::string_view piece);
  void end_text() { out_ += '"'; }
  // Elements of an array.
  void text(std::string_view value);
  void base64(std::string_view value);
  void null() { literal("null"); }
  void literal(std::string_view value);  // a number, true, false or null, as it is written
  void begin_array();

  // A key from outside, which may have anything to escape. What is written next is its value.
  void name(std::string_view key);

  // A member whose bytes nobody takes for text.
  void base64(std::string_view key, std::string_view value);

  // What another writer wrote before: members of an object, not none; or a value.
  void members(std::string_view written);
  void written(std::string_view key, std::string_view value);

  // A JSON value that somebody else made: white space goes, what is not ASCII is escaped.
  void json(std::string_view key, std::string_view value);

 private:
  bool wants_comma() const;
  void comma();
  void member(std::string_view name, std::string_view value, bool quotes);
  void key(std::string_view key, std::string_view suffix = {});
  void quoted(std::string_view value);
  void quoted_base64(std::string_view value);
  void escape(char32_t code_point);

  std::string& out_;
};

// How long a text is between its quotes.
std::size_t escaped_size(std::string_view text);

}  // namespace hooksmtpd::hook
