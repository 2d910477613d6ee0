// A message -> the tree of its parts (PROTOCOL.md, "The tree"), and each leaf, decoded, as a file.
//
// GMime takes the message apart. Nothing that is wrong with a message makes this fail: there is a tree of what could be
// made out, and sentences that say what is broken. What is refused is a message beyond the limits.

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "hooks/mime/part_files.h"

namespace hooksmtpd::mime {

struct Limits {
  std::size_t depth = 20;                     // of parts within parts
  std::size_t parts = 1000;                   // in all
  std::uint64_t size = 128ull * 1024 * 1024;  // octets of all files
};

// Text of a part that is longer, as UTF-8, is only in its file.
inline constexpr std::size_t kMaxText = 1024 * 1024;

// Why there is no tree: as a reply says it.
struct Refusal {
  int code;              // 554, or 452 and 451: try again
  std::string enhanced;  // "5.6.0"
  std::string text;
};

// `file`: a descriptor of the message, at its beginning. It is read as it is needed, and closed.
std::expected<nlohmann::ordered_json, Refusal> make_tree(int file, const PartFiles& files, const Limits& limits);

}  // namespace hooksmtpd::mime
