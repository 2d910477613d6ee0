#include "proto/hook/printable.h"

#include <fmt/format.h>

#include <iterator>

namespace hooksmtpd::hook {

std::string printable(std::string_view text, std::size_t limit) {
  std::string out;
  for (const char c : text.substr(0, limit)) {
    if (c == '"' || c == '\\') {
      out.append(1, '\\').append(1, c);
    } else if (c >= ' ' && c <= '~') {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
    }
  }
  if (text.size() > limit) out += "...";
  return out;
}

}  // namespace hooksmtpd::hook
