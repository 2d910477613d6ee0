#include "daemon/worker/cursor.h"

#include <fmt/format.h>

#include <charconv>

namespace hooksmtpd::worker {

std::string to_cursor(std::string_view start, std::uint64_t sequence) { return fmt::format("{}-{}", start, sequence); }

std::optional<std::uint64_t> place_of(std::string_view cursor, std::string_view start, std::uint64_t newest) {
  const std::size_t dash = cursor.rfind('-');
  if (dash == std::string_view::npos) return std::nullopt;
  std::uint64_t sequence = 0;
  const char* const end = cursor.data() + cursor.size();
  const auto [stopped, error] = std::from_chars(cursor.data() + dash + 1, end, sequence);
  if (error != std::errc() || stopped != end) return std::nullopt;
  if (cursor.substr(0, dash) != start) return 0;
  if (sequence > newest) return std::nullopt;
  return sequence;
}

}  // namespace hooksmtpd::worker
