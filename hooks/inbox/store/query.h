// What people type into the search field -> conditions.
//
//   from: to: cc: subject: files: body:   words of that field        tag:  message-id:  mailbox:
//   id:                                     how the inbox's own id begins
//   is:unread|read|tagged|injected|broken|tls   has:attachment|html|tag
//   before: after:   2026-11-23, 2026-11-23T17:20Z, or an age: 3d, 12h, 2w     larger: smaller:   octets, 10k, 5M
//   "several words", in this order              -anything: not so
//   in quotes, \" and \\ are a quote and a backslash
//
// A word stands for all that begin with it. All conditions must hold. Nothing is ever an error: what looks like a key
// and is none, or has no value that it could have, is searched as words.

#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

struct Query {
  // An SQL condition on a row `m` of messages, with one parameter `?` at most.
  struct Condition {
    std::string sql;
    std::variant<std::monostate, std::int64_t, std::string> value{};
  };

  std::string match;  // for FTS5: what the words must be; empty: there are none
  std::vector<Condition> conditions;

  bool empty() const { return match.empty() && conditions.empty(); }
};

// As one term of it.
std::string in_quotes(std::string_view text);

// `now`: what ages are counted from.
Query parse_query(std::string_view text, Time now);

}  // namespace hooksmtpd::inbox
