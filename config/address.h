// Where a listener binds: "127.0.0.1:25", "[::1]:25", "localhost:25", "unix:/run/hooksmtpd/smtp.sock".

#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hooksmtpd::config {

struct Address {
  std::string host{};      // an IP address without brackets, perhaps with "%scope", or a name for getaddrinfo()
  std::uint16_t port = 0;  // 0: the kernel picks one
  std::string path{};      // absolute, of a unix socket; then there is no host

  bool is_unix() const { return !path.empty(); }

  friend bool operator==(const Address&, const Address&) = default;
};

// The error is a whole sentence that shows how to write it.
std::expected<Address, std::string> parse_address(std::string_view text);

// The form that parse_address() reads.
std::string to_string(const Address& address);

// The longest path of a unix socket, without its NUL (unix(7)).
inline constexpr std::size_t kLongestSocketPath = 107;

// Nobody outside this machine can connect to it. Of names only "localhost" and "*.localhost" (RFC 6761) count.
bool is_loopback(const Address& address);

}  // namespace hooksmtpd::config
