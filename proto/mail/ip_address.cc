#include "proto/mail/ip_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

namespace hooksmtpd::mail {
namespace {

template <class Address>
std::optional<Address> parse(int family, std::string_view text) {
  std::array<char, INET6_ADDRSTRLEN> zero_ended{};
  if (text.size() >= zero_ended.size() || text.contains('\0')) return std::nullopt;
  std::ranges::copy(text, zero_ended.begin());
  Address address;
  if (inet_pton(family, zero_ended.data(), &address) != 1) return std::nullopt;
  return address;
}

}  // namespace

bool is_ipv4(std::string_view text) { return parse<in_addr>(AF_INET, text).has_value(); }

bool is_ipv6(std::string_view text) { return parse<in6_addr>(AF_INET6, text).has_value(); }

std::optional<std::string> canonical_ip(std::string_view text) {
  if (is_ipv4(text)) return std::string(text);
  const auto address = parse<in6_addr>(AF_INET6, text);
  if (!address) return std::nullopt;
  std::array<char, INET6_ADDRSTRLEN> canonical{};
  inet_ntop(AF_INET6, &*address, canonical.data(), canonical.size());
  return std::string(canonical.data());
}

}  // namespace hooksmtpd::mail
