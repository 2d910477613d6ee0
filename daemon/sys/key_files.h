// Private key files and the files with their passwords, as root read them at start: how they come to the keyholder
// (a sealed memfd, memfd.h), which may not open files that root alone can read.
//
// The launcher fills that memory in a process of its own, so that no key is ever in the supervisor's.

#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::sys {

struct KeyFile {
  std::filesystem::path path;  // as the configuration names it
  int error = 0;               // errno: it could not be read, and `text` is empty
  std::string text;            // any octets

  friend bool operator==(const KeyFile&, const KeyFile&) = default;
};

inline constexpr std::size_t kLargestKeyFile = 64 * 1024;

// One after the other: path, errno, length of the text, each ended by NUL, and the text.
std::string to_bytes(std::span<const KeyFile> files);
// Empty: nobody wrote that with to_bytes().
std::optional<std::vector<KeyFile>> parse_key_files(std::string_view bytes);

}  // namespace hooksmtpd::sys
