#include "daemon/worker/address_counts.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <cstdint>
#include <string_view>

namespace hooksmtpd::worker {
namespace {

constexpr std::size_t kNetwork = 8;  // octets: the first 64 bits of an IPv6 address

std::string text_of(const in6_addr& address) {
  char text[INET6_ADDRSTRLEN] = "";
  inet_ntop(AF_INET6, &address, text, sizeof text);
  return text;
}

}  // namespace

std::optional<std::string> counted_as(const std::string& address) {
  if (address.empty()) return std::nullopt;
  in6_addr six{};
  if (inet_pton(AF_INET6, address.c_str(), &six) != 1) {
    if (address.starts_with("127.")) return std::nullopt;
    return address;
  }
  if (IN6_IS_ADDR_LOOPBACK(&six)) return std::nullopt;
  if (IN6_IS_ADDR_V4MAPPED(&six)) return counted_as(text_of(six).substr(std::string_view("::ffff:").size()));
  std::fill(six.s6_addr + kNetwork, six.s6_addr + sizeof six.s6_addr, std::uint8_t{0});
  return text_of(six).append("/64");
}

}  // namespace hooksmtpd::worker
