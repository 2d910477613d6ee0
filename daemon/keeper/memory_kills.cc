#include "daemon/keeper/memory_kills.h"

#include <unistd.h>

#include <array>
#include <charconv>
#include <string_view>

namespace hooksmtpd::keeper {

std::uint64_t memory_kills(const sys::Fd& file) {
  constexpr std::string_view kKey = "\noom_kill ";
  std::array<char, 1024> buffer;
  buffer[0] = '\n';
  const ssize_t got = ::pread(file.get(), buffer.data() + 1, buffer.size() - 1, 0);
  if (got <= 0) return 0;
  const std::string_view text(buffer.data(), static_cast<std::size_t>(got) + 1);
  const std::size_t key = text.find(kKey);
  if (key == std::string_view::npos) return 0;
  const std::string_view number = text.substr(key + kKey.size());
  std::uint64_t kills = 0;
  std::from_chars(number.data(), number.data() + number.size(), kills);
  return kills;
}

}  // namespace hooksmtpd::keeper
