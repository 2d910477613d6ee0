// The members of one JSON object, as far as a reply needs them: numbers, booleans, strings, lists of strings, and lists
// of objects of the same kind. What is nested deeper is read over, but for members that are wanted as JSON.
//
// The members are asked for by name and type. The first that has another type, or comes twice, is remembered as the
// error; null is as good as absent. What nobody asked for is unknown.

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hooksmtpd::hook {

inline constexpr std::size_t kMaxDepth = 16;       // of objects and arrays within each other,
inline constexpr std::size_t kMaxMimeDepth = 512;  // and where a tree of MIME parts is among them

enum class ObjectError {
  kNoObject,  // not a JSON object (RFC 8259)
  kTooDeep,   // nested deeper than kMaxDepth
};

class ReplyFields {
 public:
  // The members named in `as_json` may be anything, and are kept as JSON in compact ASCII.
  static std::expected<ReplyFields, ObjectError> parse(std::string_view text,
                                                       std::span<const std::string_view> as_json = {},
                                                       std::size_t max_depth = kMaxDepth);

  std::optional<std::uint64_t> number(std::string_view key);
  std::optional<bool> boolean(std::string_view key);
  std::optional<std::string> text(std::string_view key);
  // A list of strings; one string counts as a list of one.
  std::vector<std::string> list(std::string_view key);
  // A list of objects, whose members may be asked for in turn. nullopt: it was not given.
  std::optional<std::vector<ReplyFields>> objects(std::string_view key);
  // A member of `as_json`, which may be null.
  std::optional<std::string> json(std::string_view key);
  // Reads over a member that means nothing here.
  void skip(std::string_view key);

  // Whether it was given at all, and not as null.
  bool has(std::string_view key) const;
  const std::optional<std::string>& error() const { return error_; }
  std::vector<std::string> unknown() const;

 private:
  struct Handler;  // of the parser's events
  struct Other {};
  struct JsonText {
    std::string text;
  };
  using Value = std::variant<Other, std::monostate, bool, std::uint64_t, std::string, std::vector<std::string>,
                             std::vector<ReplyFields>, JsonText>;
  struct Member {
    Member(std::string key_, Value value_) : key(std::move(key_)), value(std::move(value_)) {}
    std::string key;
    Value value;
    bool asked_for = false;
  };

  Value take(std::string_view key);
  template <class T>
  std::optional<T> take_as(std::string_view key, std::string_view expected);

  std::vector<Member> members_;
  std::optional<std::string> error_;
};

}  // namespace hooksmtpd::hook
