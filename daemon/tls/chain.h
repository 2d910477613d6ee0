// A certificate file: the server's own certificate, then those between it and an authority.

#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

struct Chain {
  X509Ptr leaf;
  std::vector<X509Ptr> intermediates;  // in the order of the file
};

// Or a sentence that names the file and the way out. A file that holds a private key as well is refused: the text of a
// certificate goes to the process that talks with the network.
std::expected<Chain, std::string> read_chain(const std::filesystem::path& file, std::string_view text);

// A signature or a key that is too weak at the security level of `context`, which keeps the chain as its default.
std::expected<void, std::string> check_strength(SSL_CTX* context, const std::filesystem::path& file,
                                                const Chain& chain);

// All certificates of a file with authorities; the same sentences.
std::expected<std::vector<X509Ptr>, std::string> read_authorities(const std::filesystem::path& file,
                                                                  std::string_view text);

enum class NameMatch { kNone, kWildcard, kExact };
// How the certificate covers a host name, as RFC 6125 §6.4 has it: `*` stands for one whole label, the leftmost.
NameMatch covers(X509* leaf, std::string_view host_name);

}  // namespace hooksmtpd::tls
