#include "proto/mail/idn.h"

#include <idn2.h>

#include <cstdint>
#include <memory>

#include "proto/mail/utf8.h"

namespace hooksmtpd::mail {
namespace {

struct Free {
  void operator()(void* memory) const noexcept { idn2_free(memory); }
};
using Text = std::unique_ptr<char, Free>;

// Browsers map the same way. Not IDN2_USE_STD3_ASCII_RULES, which removes an octet that it does not like: whoever calls
// looks at the octets that came out.
constexpr int kFlags = IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL;

std::optional<std::string> to_ascii(std::string_view text) {
  if (text.contains('\0')) return std::nullopt;
  char* out = nullptr;
  const int error = idn2_to_ascii_8z(std::string(text).c_str(), &out, kFlags);
  const Text owned(out);
  if (error != IDN2_OK) return std::nullopt;
  return std::string(out);
}

std::optional<std::string> to_unicode(const std::string& text) {
  char* out = nullptr;
  const int error = idn2_to_unicode_8z8z(text.c_str(), &out, kFlags);
  const Text owned(out);
  if (error != IDN2_OK) return std::nullopt;
  return std::string(out);
}

}  // namespace

std::optional<std::string> normalise_international(std::string_view text) {
  if (!is_utf8_text(text)) return std::nullopt;
  const auto ascii = to_ascii(text);
  return ascii ? to_unicode(*ascii) : std::nullopt;
}

std::string ascii_domain(std::string_view domain) {
  if (is_ascii(domain)) return std::string(domain);
  return to_ascii(domain).value_or(std::string(domain));
}

}  // namespace hooksmtpd::mail
