// A private key file and its password.

#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <string_view>

#include "daemon/tls/openssl.h"

namespace hooksmtpd::tls {

struct KeyFile {
  std::filesystem::path file;
  std::string_view text;
  std::filesystem::path password_file;  // empty: none
  std::string_view password_text;       // its text: the first line counts
};

// Or a sentence that names the file and the way out.
std::expected<Key, std::string> read_private_key(const KeyFile& from);

// The same, for the key of a certificate: `public_key` is from the file `chain`.
std::expected<Key, std::string> read_private_key_of(const EVP_PKEY* public_key, const std::filesystem::path& chain,
                                                    const KeyFile& from);

}  // namespace hooksmtpd::tls
