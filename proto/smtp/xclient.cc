#include "proto/smtp/xclient.h"

#include <algorithm>
#include <charconv>

#include "proto/mail/ip_address.h"
#include "proto/mail/utf8.h"
#include "proto/smtp/replies.h"
#include "proto/smtp/xtext.h"

namespace hooksmtpd::smtp {
namespace {

constexpr std::size_t kMaxValue = 255;  // octets, of a value once decoded

constexpr char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

bool equals_upper(std::string_view text, std::string_view upper_case) {
  return std::ranges::equal(text, upper_case, {}, upper);
}

bool is_unknown(std::string_view value) {
  return equals_upper(value, "[UNAVAILABLE]") || equals_upper(value, "[TEMPUNAVAIL]");
}

bool set(std::optional<std::string>& attribute, std::string value) {
  if (attribute) return false;  // twice
  attribute = std::move(value);
  return true;
}

bool set_text(std::optional<std::string>& attribute, std::string_view value) {
  return value.size() <= kMaxValue && !value.empty() && mail::is_utf8_text(value) && set(attribute, std::string(value));
}

bool set_address(std::optional<std::string>& attribute, std::string_view value) {
  const bool tagged = equals_upper(value.substr(0, 5), "IPV6:");
  if (tagged) value.remove_prefix(5);
  if (tagged ? !mail::is_ipv6(value) : !mail::is_ipv4(value)) return false;
  return set(attribute, *mail::canonical_ip(value));
}

bool set_port(std::optional<std::uint16_t>& attribute, std::string_view value) {
  std::uint16_t port = 0;
  const char* const value_end = value.data() + value.size();
  const auto [end, error] = std::from_chars(value.data(), value_end, port);
  if (attribute || error != std::errc() || end != value_end) return false;
  attribute = port;
  return true;
}

bool set_protocol(std::optional<std::string>& attribute, std::string_view value) {
  const bool extended = equals_upper(value, "ESMTP");
  return (extended || equals_upper(value, "SMTP")) && set(attribute, extended ? "ESMTP" : "SMTP");
}

bool set(Xclient& client, std::string_view name, std::string_view value) {
  struct Text {
    std::string_view name;
    std::optional<std::string> Xclient::* attribute;
    bool (*set)(std::optional<std::string>&, std::string_view);
  };
  static constexpr Text kTexts[] = {
      {"NAME", &Xclient::name, set_text},          {"ADDR", &Xclient::address, set_address},
      {"PROTO", &Xclient::protocol, set_protocol}, {"HELO", &Xclient::helo, set_text},
      {"LOGIN", &Xclient::login, set_text},        {"DESTADDR", &Xclient::destination_address, set_address},
  };
  for (const Text& text : kTexts) {
    if (!equals_upper(name, text.name)) continue;
    return is_unknown(value) ? set(client.*text.attribute, "") : (text.set)(client.*text.attribute, value);
  }
  const std::string_view port = is_unknown(value) ? "0" : value;
  if (equals_upper(name, "PORT")) return set_port(client.port, port);
  if (equals_upper(name, "DESTPORT")) return set_port(client.destination_port, port);
  return false;
}

}  // namespace

std::expected<Xclient, std::string_view> parse_xclient(std::string_view arguments) {
  Xclient client;
  while (true) {
    arguments.remove_prefix(std::min(arguments.find_first_not_of(' '), arguments.size()));
    if (arguments.empty()) break;
    const std::string_view word = arguments.substr(0, arguments.find(' '));
    arguments.remove_prefix(word.size());
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos) return std::unexpected(replies::kBadXclient);
    const auto value = decode_xtext(word.substr(equals + 1));
    if (!value || !set(client, word.substr(0, equals), *value)) return std::unexpected(replies::kBadXclient);
  }
  if (client == Xclient()) return std::unexpected(replies::kBadXclient);
  return client;
}

}  // namespace hooksmtpd::smtp
