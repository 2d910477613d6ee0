#include "proto/smtp/proxy_header.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "proto/mail/ip_address.h"

namespace hooksmtpd::smtp {
namespace {

using Result = std::variant<ProxyHeader, ProxyNeedsMore, ProxyBroken>;
using namespace std::string_view_literals;

constexpr std::string_view kLineSignature = "PROXY "sv;
constexpr std::string_view kBinarySignature = "\r\n\r\n\0\r\nQUIT\n"sv;
constexpr std::size_t kFixedPart = 16;  // of version 2: signature, version and command, family, length

// Version 1 (§2.1): PROXY TCP4 192.0.2.7 192.0.2.1 51514 25

// Cuts the first word off, and the one space behind it.
std::string_view take_word(std::string_view& text) {
  const std::size_t space = std::min(text.find(' '), text.size());
  const std::string_view word = text.substr(0, space);
  text.remove_prefix(std::min(space + 1, text.size()));
  return word;
}

std::optional<std::uint16_t> parse_port(std::string_view text) {
  std::uint16_t port = 0;
  const char* const text_end = text.data() + text.size();
  const auto [end, error] = std::from_chars(text.data(), text_end, port);
  const bool canonical = text.size() == 1 || !text.starts_with('0');
  if (error != std::errc() || end != text_end || !canonical) return std::nullopt;
  return port;
}

std::optional<ProxyHeader::Ends> parse_line_ends(std::string_view text) {
  const std::string_view family = take_word(text);
  const std::string_view source = take_word(text);
  const std::string_view destination = take_word(text);
  const auto source_port = parse_port(take_word(text));
  const auto destination_port = parse_port(text);
  const auto is_address = family == "TCP4" ? mail::is_ipv4 : mail::is_ipv6;
  if ((family != "TCP4" && family != "TCP6") || !is_address(source) || !is_address(destination) || !source_port ||
      !destination_port) {
    return std::nullopt;
  }
  return ProxyHeader::Ends{.source = {.address = *mail::canonical_ip(source), .port = *source_port},
                           .destination = {.address = *mail::canonical_ip(destination), .port = *destination_port}};
}

Result parse_line(std::string_view bytes) {
  const std::size_t lf = bytes.substr(0, kMaxProxyLine).find('\n');
  if (lf == std::string_view::npos) {
    if (bytes.size() >= kMaxProxyLine) return ProxyBroken();
    return ProxyNeedsMore();
  }
  std::string_view line = bytes.substr(kLineSignature.size(), lf + 1 - kLineSignature.size());
  if (!line.ends_with("\r\n")) return ProxyBroken();
  line.remove_suffix(2);
  if (line.contains('\r')) return ProxyBroken();
  if (line == "UNKNOWN" || line.starts_with("UNKNOWN ")) return ProxyHeader{.length = lf + 1, .ends = {}};
  auto ends = parse_line_ends(line);
  if (!ends) return ProxyBroken();
  return ProxyHeader{.length = lf + 1, .ends = std::move(ends)};
}

// Version 2 (§2.2): numbers are in network order.

std::uint16_t number(std::string_view two_octets) {
  return static_cast<std::uint16_t>(static_cast<unsigned char>(two_octets[0]) << 8 |
                                    static_cast<unsigned char>(two_octets[1]));
}

std::string address(int family, std::string_view octets) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(family, octets.data(), text.data(), text.size());
  return text.data();
}

// Source, destination and their ports, one after the other; `size` octets for an address.
ProxyHeader::Ends read_ends(int family, std::size_t size, std::string_view octets) {
  return {
      .source = {.address = address(family, octets), .port = number(octets.substr(2 * size))},
      .destination = {.address = address(family, octets.substr(size)), .port = number(octets.substr(2 * size + 2))}};
}

// Extras (§2.2, "Type-Length-Value"): nothing in them is for us, but they have to fill the header to its end.
bool are_extras(std::string_view octets) {
  while (octets.size() >= 3) {
    const std::size_t length = 3u + number(octets.substr(1));
    if (length > octets.size()) return false;
    octets.remove_prefix(length);
  }
  return octets.empty();
}

Result parse_binary(std::string_view bytes) {
  if (bytes.size() < kFixedPart) return ProxyNeedsMore();
  const auto version_and_command = static_cast<unsigned char>(bytes[12]);
  const auto family_and_transport = static_cast<unsigned char>(bytes[13]);
  const std::size_t length = kFixedPart + number(bytes.substr(14));
  if (length > kMaxProxyHeader) return ProxyBroken();
  if (version_and_command != 0x20 && version_and_command != 0x21) return ProxyBroken();  // LOCAL, PROXY
  if (bytes.size() < length) return ProxyNeedsMore();
  const std::string_view rest = bytes.substr(kFixedPart, length - kFixedPart);
  ProxyHeader header{.length = length, .ends = {}};
  if (version_and_command == 0x20) return header;  // whatever else it says is to be thrown away
  std::size_t addresses = 0;
  switch (family_and_transport) {
    case 0x00:  // UNSPEC
      return header;
    case 0x11:  // TCP over IPv4
      addresses = 12;
      break;
    case 0x21:  // TCP over IPv6
      addresses = 36;
      break;
    case 0x31:  // a stream of a Unix socket: two paths
      addresses = 216;
      break;
    default:
      return ProxyBroken();
  }
  if (rest.size() < addresses || !are_extras(rest.substr(addresses))) return ProxyBroken();
  if (addresses == 12) header.ends = read_ends(AF_INET, 4, rest);
  if (addresses == 36) header.ends = read_ends(AF_INET6, 16, rest);
  return header;
}

}  // namespace

Result parse_proxy_header(std::string_view bytes) {
  if (bytes.starts_with(kLineSignature)) return parse_line(bytes);
  if (bytes.starts_with(kBinarySignature)) return parse_binary(bytes);
  if (kLineSignature.starts_with(bytes) || kBinarySignature.starts_with(bytes)) return ProxyNeedsMore();
  return ProxyBroken();
}

}  // namespace hooksmtpd::smtp
