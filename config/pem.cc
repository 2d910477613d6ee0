#include "config/pem.h"

#include <algorithm>
#include <array>
#include <optional>
#include <ranges>

#include "config/wiped_string.h"

namespace hooksmtpd::config {
namespace {

constexpr std::string_view kBegin = "-----BEGIN ", kEnd = "-----END ", kDashes = "-----";

// As OpenSSL names them, too.
constexpr std::array<std::string_view, 3> kCertificateLabels{"CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE"};

// "CERTIFICATE" of "-----BEGIN CERTIFICATE-----".
std::optional<std::string_view> label(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix) || !line.ends_with(kDashes)) return std::nullopt;
  if (line.size() < prefix.size() + kDashes.size()) return std::nullopt;
  return line.substr(prefix.size(), line.size() - prefix.size() - kDashes.size());
}

// Without the blanks and the '\r' that an editor may have left behind.
std::string_view trimmed(std::string_view line) {
  const std::size_t last = line.find_last_not_of(" \t\r");
  return line.substr(0, last == std::string_view::npos ? 0 : last + 1);
}

auto lines_of(std::string_view text) {
  return text | std::views::split('\n') |
         std::views::transform([](const auto& line) { return trimmed(std::string_view(line.begin(), line.end())); });
}

// Only what base64 is made of may stand between the two lines: a certificate whose end is missing must not take along
// the key behind it.
bool is_base64(std::string_view line) {
  return line.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=") ==
         std::string_view::npos;
}

}  // namespace

std::vector<std::string> certificates_in(std::string_view text) {
  std::vector<std::string> found;
  WipedString block;  // empty outside of one
  std::string_view inside;
  for (const std::string_view line : lines_of(text)) {
    if (const auto begins = label(line, kBegin)) {
      block.clear();
      if (std::ranges::find(kCertificateLabels, *begins) == kCertificateLabels.end()) continue;
      inside = *begins;
      block = line;
      block += '\n';
    } else if (block.empty()) {
      continue;
    } else if (label(line, kEnd) == inside) {
      found.emplace_back(block.append(line).append("\n"));
      block.clear();
    } else if (is_base64(line)) {
      block.append(line).append("\n");
    } else {
      block.clear();
    }
  }
  return found;
}

bool has_private_key(std::string_view text) {
  return std::ranges::any_of(lines_of(text), [](std::string_view line) {
    const auto begins = label(line, kBegin);
    return begins && begins->ends_with("PRIVATE KEY");
  });
}

}  // namespace hooksmtpd::config
