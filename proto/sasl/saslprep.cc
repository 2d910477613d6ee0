#include "proto/sasl/saslprep.h"

#include <stringprep.h>

#include <algorithm>

#include "proto/sasl/wipe.h"

namespace hooksmtpd::sasl {

std::optional<std::string> saslprep(std::string_view text) {
  if (text.empty()) return std::nullopt;
  if (std::ranges::all_of(text, [](char c) { return c >= ' ' && c < 0x7f; })) return std::string(text);
  if (text.find('\0') != text.npos) return std::nullopt;  // the library's strings end there

  // Compatibility characters may become longer: up to 18 of them from one (U+FDFA), and one has 2 octets at least.
  Wiped buffer;
  buffer.text.reserve(text.size() * 18 + 1);
  buffer.text = text;
  buffer.text.resize(text.size() * 18 + 1);
  const auto flags = STRINGPREP_NO_UNASSIGNED;
  if (stringprep(buffer.text.data(), buffer.text.size(), flags, stringprep_saslprep) != STRINGPREP_OK) {
    return std::nullopt;
  }
  std::string prepared(buffer.text.c_str());
  if (prepared.empty()) return std::nullopt;
  return prepared;
}

}  // namespace hooksmtpd::sasl
