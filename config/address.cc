#include "config/address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <optional>

#include "config/spelling.h"

namespace hooksmtpd::config {
namespace {

std::optional<in_addr> ipv4(const std::string& host) {
  in_addr address{};
  if (inet_pton(AF_INET, host.c_str(), &address) != 1) return std::nullopt;
  return address;
}

// A scope ("fe80::1%eth0") names an interface: any word will do here, the kernel knows which there are.
std::optional<in6_addr> ipv6(const std::string& host) {
  const std::size_t percent = std::min(host.find('%'), host.size());
  const std::string scope = host.substr(percent);
  if (scope.size() == 1 || scope.find_first_of(" \t[]:") != std::string::npos) return std::nullopt;
  in6_addr address{};
  if (inet_pton(AF_INET6, host.substr(0, percent).c_str(), &address) != 1) return std::nullopt;
  return address;
}

bool digits_and_dots(std::string_view text) { return text.find_first_not_of("0123456789.") == std::string_view::npos; }

std::optional<std::uint16_t> port_number(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

constexpr std::string_view kUnix = "unix:";

std::expected<Address, std::string> parse_unix(std::string_view text) {
  const auto wrong = [&](std::string_view advice) {
    return std::unexpected(fmt::format("{} is not an address to listen on: {}", in_quotes(text), advice));
  };
  std::string_view name = text.substr(kUnix.size());
  while (name.starts_with("//")) name.remove_prefix(1);
  if (!name.starts_with('/')) {
    return wrong("the path of a unix socket is absolute, as in \"unix:/run/hooksmtpd/smtp.sock\"");
  }
  const std::filesystem::path path = std::filesystem::path(name).lexically_normal();
  if (!path.has_filename() || name.find('\0') != std::string_view::npos) return wrong("it names no file");
  if (path.native().size() > kLongestSocketPath) {
    return wrong(fmt::format("the path of a unix socket has at most {} octets, not {}", kLongestSocketPath,
                             path.native().size()));
  }
  return Address{.path = path.native()};
}

}  // namespace

std::expected<Address, std::string> parse_address(std::string_view text) {
  if (text.starts_with(kUnix)) return parse_unix(text);
  const auto wrong = [&](std::string_view advice) {
    return std::unexpected(fmt::format("{} is not an address to listen on: {}", in_quotes(text), advice));
  };
  if (text.find_first_not_of("0123456789") == std::string_view::npos && !text.empty()) {
    return wrong(fmt::format("write \"127.0.0.1:{0}\" for this machine only, or \"0.0.0.0:{0}\" for all", text));
  }
  if (std::ranges::count(text, ':') > 1 && !text.starts_with('[')) {
    return wrong("an IPv6 address stands in brackets and the port behind, as in \"[::1]:25\"");
  }
  if (text.starts_with('/')) return wrong(fmt::format("write \"unix:{}\" for a unix socket", printable(text)));
  const std::size_t colon = text.rfind(':');
  const bool colon_is_inside = text.ends_with(']');
  if (colon == std::string_view::npos || colon_is_inside) return wrong("write the port too, as in \"127.0.0.1:25\"");

  const std::string_view port_text = text.substr(colon + 1);
  const auto port = port_number(port_text);
  if (!port) return wrong(fmt::format("the port must be from 0 to 65535, not {}", in_quotes(port_text)));

  std::string host(text.substr(0, colon));
  if (host.empty() || host == "*") {
    return wrong(fmt::format("write \"127.0.0.1:{0}\" for this machine only, or \"0.0.0.0:{0}\" for all", *port));
  }
  if (host.front() == '[') {
    if (host.back() != ']' || !ipv6(host.substr(1, host.size() - 2))) {
      return wrong("between the brackets stands no IPv6 address");
    }
    return Address{.host = host.substr(1, host.size() - 2), .port = *port};
  }
  if (digits_and_dots(host) ? !ipv4(host) : !is_hostname(host)) {
    return wrong(fmt::format("{} is neither an IP address nor a host name", in_quotes(host)));
  }
  return Address{.host = std::move(host), .port = *port};
}

std::string to_string(const Address& address) {
  if (address.is_unix()) return fmt::format("{}{}", kUnix, address.path);
  const bool needs_brackets = address.host.find(':') != std::string::npos;
  return fmt::format("{}{}{}:{}", needs_brackets ? "[" : "", address.host, needs_brackets ? "]" : "", address.port);
}

bool is_loopback(const Address& address) {
  if (address.is_unix()) return true;
  if (const auto found = ipv4(address.host)) return ntohl(found->s_addr) >> 24 == 127;
  if (const auto found = ipv6(address.host)) return IN6_IS_ADDR_LOOPBACK(&*found) != 0;
  return address.host == "localhost" || address.host.ends_with(".localhost");
}

}  // namespace hooksmtpd::config
