#include "proto/smtp/heard_line.h"

#include <algorithm>

#include "proto/sasl/mechanism.h"

namespace hooksmtpd::smtp {
namespace {

constexpr std::string_view kSpace = " \t\r\n\v\f";

std::string_view take_word(std::string_view& rest) {
  rest.remove_prefix(std::min(rest.find_first_not_of(kSpace), rest.size()));
  const std::string_view word = rest.substr(0, rest.find_first_of(kSpace));
  rest.remove_prefix(word.size());
  return word;
}

}  // namespace

bool begins_login(std::string_view line) {
  constexpr auto upper = [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; };
  return std::ranges::equal(take_word(line).substr(0, 4), std::string_view("AUTH"), {}, upper);
}

std::string without_credentials(std::string_view line) {
  take_word(line);
  const auto mechanism = sasl::parse_mechanism(take_word(line));
  if (!mechanism) return "AUTH ***";
  const bool more = !take_word(line).empty();
  std::string shown("AUTH ");
  shown += to_string(*mechanism);
  if (more) shown += " ***";
  return shown;
}

}  // namespace hooksmtpd::smtp
