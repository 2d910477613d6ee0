#include "config/network.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <optional>

#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

using Bytes = std::array<std::uint8_t, 16>;

constexpr Bytes kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0, 0, 0, 0};
constexpr std::uint8_t kMappedBits = 96;  // of kMapped, before the IPv4 address

bool is_ipv4(const Bytes& address) { return std::equal(kMapped.begin(), kMapped.begin() + 12, address.begin()); }

std::optional<Bytes> parse_ip(std::string_view text) {
  const std::string ip(text);
  if (ip.size() != std::char_traits<char>::length(ip.c_str())) return std::nullopt;  // a NUL would end it early
  Bytes bytes = kMapped;
  if (::inet_pton(AF_INET, ip.c_str(), bytes.data() + 12) == 1) return bytes;
  if (::inet_pton(AF_INET6, ip.c_str(), bytes.data()) == 1) return bytes;
  return std::nullopt;
}

Bytes masked(Bytes address, unsigned prefix) {
  for (unsigned i = 0; i < address.size(); ++i) {
    const int bits = std::clamp(static_cast<int>(prefix) - static_cast<int>(8 * i), 0, 8);
    address[i] = static_cast<std::uint8_t>(address[i] & (0xff00 >> bits));
  }
  return address;
}

}  // namespace

std::expected<Network, std::string> parse_network(std::string_view text) {
  const std::size_t slash = std::min(text.find('/'), text.size());
  const auto address = parse_ip(text.substr(0, slash));
  if (!address) {
    return std::unexpected(fmt::format(
        "must hold networks such as \"127.0.0.0/8\", \"::1/128\" or \"10.1.2.3\", not {}", in_quotes(text)));
  }
  if (slash == text.size()) return Network{.address = *address, .prefix = 128};

  const bool ipv4 = is_ipv4(*address) && text.substr(0, slash).find(':') == std::string_view::npos;
  const auto prefix = parse_number(text.substr(slash + 1), 0, ipv4 ? 32 : 128);
  if (!prefix) {
    return std::unexpected(
        fmt::format("must have a prefix from 0 to {} behind the slash: {}", ipv4 ? 32 : 128, in_quotes(text)));
  }
  const auto bits = static_cast<std::uint8_t>(*prefix + (ipv4 ? kMappedBits : 0));
  const Network network{.address = masked(*address, bits), .prefix = bits};
  if (network.address != *address) {
    return std::unexpected(fmt::format("has {}, which is one address of a network: write \"{}\" or \"{}\"",
                                       in_quotes(text), to_string(network), to_string({.address = *address})));
  }
  return network;
}

std::string to_string(const Network& network) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const bool ipv4 = is_ipv4(network.address) && network.prefix >= kMappedBits;
  ::inet_ntop(ipv4 ? AF_INET : AF_INET6, network.address.data() + (ipv4 ? 12 : 0), text.data(), text.size());
  if (network.prefix == 128) return text.data();
  return fmt::format("{}/{}", text.data(), network.prefix - (ipv4 ? kMappedBits : 0));
}

bool contains(const Network& network, std::string_view ip) {
  const auto address = parse_ip(ip.substr(0, ip.find('%')));
  if (!address || (is_ipv4(*address) && network.prefix < kMappedBits)) return false;
  return masked(*address, network.prefix) == network.address;
}

bool is_everybody(const Network& network) {
  return network.prefix == 0 || (network.prefix == kMappedBits && is_ipv4(network.address));
}

}  // namespace hooksmtpd::config
