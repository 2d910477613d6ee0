// Which clients are meant: "127.0.0.0/8", "::1/128", "10.1.2.3" (RFC 4632 §3.1, RFC 4291 §2.3).

#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace hooksmtpd::config {

struct Network {
  std::array<std::uint8_t, 16> address{};  // of IPv4 as ::ffff:a.b.c.d (RFC 4291 §2.5.5.2)
  std::uint8_t prefix = 128;               // leading bits of `address` that count; the others are 0

  friend bool operator==(const Network&, const Network&) = default;
};

// The error is the end of a sentence that begins with the key, and shows how to write it: bits beyond the prefix, as in
// "10.1.2.3/8", are one, since nobody can tell which of the two was meant.
std::expected<Network, std::string> parse_network(std::string_view text);

// The form that parse_network() reads; of a single address without its prefix.
std::string to_string(const Network& network);

// `ip` without brackets or port; "%scope" is ignored. Anything but an address is in no network. An IPv6 network has no
// IPv4 address in it, not even "::/0".
bool contains(const Network& network, std::string_view ip);

// Every address of its kind: "0.0.0.0/0" or "::/0".
bool is_everybody(const Network& network);

}  // namespace hooksmtpd::config
