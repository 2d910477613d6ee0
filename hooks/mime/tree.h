// A message -> the tree of its parts (PROTOCOL.md, "The tree"), and the body of each, decoded, as a file.
//
// Nothing that is wrong with a message makes this fail: there is a tree of what could be made out, and sentences that
// say what is broken. What is refused is a message beyond the limits.

#pragma once

#include <cstddef>
#include <expected>
#include <string>

#include "hooks/mime/budget.h"
#include "hooks/mime/part_files.h"
#include "hooks/mime/source.h"

namespace hooksmtpd::mime {

struct Task {
  Source message;
  bool utf8;         // its header may be UTF-8: the client said SMTPUTF8
  std::size_t room;  // octets that the tree may have; a longer one goes into a file
};

// JSON: the tree, or {"path":"…/tree.json"}.
std::expected<std::string, Refusal> make_tree(const Task& task, const PartFiles& files, const Limits& limits);

}  // namespace hooksmtpd::mime
