// A text in anonymous memory that nobody can change any more: how the configuration travels (FrameKind::kConfig).

#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "daemon/sys/fd.h"

namespace hooksmtpd::sys {

// Throws std::system_error.
Fd make_sealed_memfd(const char* name, std::string_view text);

// The same in two steps, where another process writes: an empty one, and its only text.
Fd make_memfd(const char* name);
void write_and_seal(const Fd& memfd, std::string_view text);

// Empty: this is no sealed memfd, or larger than `limit`.
std::optional<std::string> read_sealed_memfd(const Fd& memfd, std::size_t limit = 16 * 1024 * 1024);

}  // namespace hooksmtpd::sys
