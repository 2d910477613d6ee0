// The header of the PROXY protocol, versions 1 and 2, that a load balancer sends before the first octet of the client
// (haproxy's proxy-protocol.txt).
//
// Whoever expects it must get it: bytes that begin otherwise are broken, never taken for the client's.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace hooksmtpd::smtp {

// §2.1: a line of version 1 with its CRLF. Version 2 could have 64 KiB of extras; this much is read.
inline constexpr std::size_t kMaxProxyLine = 107;
inline constexpr std::size_t kMaxProxyHeader = 4096;

struct ProxyEndpoint {
  std::string address;  // "192.0.2.7", "2001:db8::7"
  std::uint16_t port = 0;

  friend bool operator==(const ProxyEndpoint&, const ProxyEndpoint&) = default;
};

struct ProxyHeader {
  struct Ends {
    ProxyEndpoint source, destination;

    friend bool operator==(const Ends&, const Ends&) = default;
  };
  std::size_t length = 0;    // octets; the client's own begin behind them
  std::optional<Ends> ends;  // nullopt: UNKNOWN, LOCAL (a health check) or no IP; those of the connection hold

  friend bool operator==(const ProxyHeader&, const ProxyHeader&) = default;
};
struct ProxyNeedsMore {};  // come again with more behind it; never for kMaxProxyHeader octets
struct ProxyBroken {};     // close the connection (§2: no reply, no guess)

// `bytes` are all that came so far.
std::variant<ProxyHeader, ProxyNeedsMore, ProxyBroken> parse_proxy_header(std::string_view bytes);

}  // namespace hooksmtpd::smtp
