#include "daemon/sys/key_files.h"

#include <charconv>

namespace hooksmtpd::sys {
namespace {

// What stands before the next NUL, which is taken too.
std::optional<std::string_view> take_word(std::string_view& bytes) {
  const std::size_t end = bytes.find('\0');
  if (end == std::string_view::npos) return std::nullopt;
  const std::string_view word = bytes.substr(0, end);
  bytes.remove_prefix(end + 1);
  return word;
}

template <class Number>
std::optional<Number> take_number(std::string_view& bytes) {
  const auto word = take_word(bytes);
  Number number{};
  if (!word || word->empty()) return std::nullopt;
  const auto [end, error] = std::from_chars(word->data(), word->data() + word->size(), number);
  if (error != std::errc() || end != word->data() + word->size()) return std::nullopt;
  return number;
}

}  // namespace

std::string to_bytes(std::span<const KeyFile> files) {
  std::string bytes;
  for (const KeyFile& file : files) {
    for (const std::string& word : {file.path.string(), std::to_string(file.error), std::to_string(file.text.size())}) {
      bytes.append(word).push_back('\0');
    }
    bytes += file.text;
  }
  return bytes;
}

std::optional<std::vector<KeyFile>> parse_key_files(std::string_view bytes) {
  std::vector<KeyFile> files;
  while (!bytes.empty()) {
    const auto path = take_word(bytes);
    const auto error = take_number<int>(bytes);
    const auto length = take_number<std::size_t>(bytes);
    if (!path || path->empty() || !error || !length || *length > bytes.size()) return std::nullopt;
    files.push_back({.path = *path, .error = *error, .text = std::string(bytes.substr(0, *length))});
    bytes.remove_prefix(*length);
  }
  return files;
}

}  // namespace hooksmtpd::sys
