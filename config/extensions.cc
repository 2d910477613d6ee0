#include "config/extensions.h"

#include <fmt/format.h>

#include <algorithm>

#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

// A reply line has 512 octets (RFC 5321 §4.5.3.1.5), of which "250-" and CRLF are taken.
constexpr std::size_t kLongestLine = 506;

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

// ehlo-keyword
bool is_keyword(std::string_view word) {
  return !word.empty() && is_letter_or_digit(word.front()) &&
         std::ranges::all_of(word, [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

}  // namespace

std::string keyword_of(std::string_view line) {
  std::string keyword(line.substr(0, line.find(' ')));
  for (char& c : keyword) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return keyword;
}

Parsed<std::string> parse_hidden_extension(std::string_view text) {
  std::string keyword = keyword_of(text);
  if (keyword.size() == text.size() && std::ranges::find(kExtensions, keyword) != kExtensions.end()) return keyword;
  std::string advice = did_you_mean(keyword, kExtensions);
  if (advice.empty()) advice = fmt::format(" — known: {}", joined(kExtensions, ", "));
  return std::unexpected(fmt::format("holds {}, which this server does not offer{}", in_quotes(text), advice));
}

Parsed<std::string> parse_added_extension(std::string_view text) {
  const auto wrong = [&](std::string_view why) {
    return std::unexpected(fmt::format("holds {}, which {}", in_quotes(text), why));
  };
  if (!std::ranges::all_of(text, [](char c) { return c >= 0x20 && c < 0x7f; })) {
    return wrong("has other than printable ASCII in it");
  }
  if (!is_keyword(text.substr(0, text.find(' ')))) {
    return wrong("does not begin with a keyword: letters, digits and -");
  }
  if (text.ends_with(' ') || text.find("  ") != std::string_view::npos) {
    return wrong("has other than one space between its words");
  }
  if (text.size() > kLongestLine) return wrong(fmt::format("is longer than {} octets", kLongestLine));
  return std::string(text);
}

}  // namespace hooksmtpd::config
