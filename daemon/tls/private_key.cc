#include "daemon/tls/private_key.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <algorithm>

#include "daemon/tls/key_kind.h"
#include "daemon/tls/pem.h"

namespace hooksmtpd::tls {
namespace {

// The way OpenSSL asks for a password: no answer but ours, and never a prompt.
struct Password {
  std::string_view text;
  bool asked = false;
};

int give_password(char* buffer, int room, int, void* context) noexcept {
  auto& password = *static_cast<Password*>(context);
  password.asked = true;
  if (password.text.empty() || static_cast<std::size_t>(room) < password.text.size()) return -1;
  std::ranges::copy(password.text, buffer);
  return static_cast<int>(password.text.size());
}

std::string_view first_line(std::string_view text) {
  text = text.substr(0, text.find('\n'));
  if (text.ends_with('\r')) text.remove_suffix(1);
  return text;
}

}  // namespace

std::expected<Key, std::string> read_private_key(const KeyFile& from) {
  const std::string file = from.file.string();
  const PemContents contents = look_at(from.text);
  if (contents.empty()) return std::unexpected(fmt::format("{} {}", file, not_pem(from.text)));
  if (contents.keys == 0) {
    return std::unexpected(fmt::format("{} holds {}, but no private key", file,
                                       contents.certificates > 0 ? "a certificate" : "other things"));
  }
  const BioPtr bio = reading(from.text);
  Password password{.text = first_line(from.password_text)};
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, give_password, &password));
  const std::string error = key ? "" : take_error();
  ERR_clear_error();
  if (!key && password.asked && from.password_file.empty()) {
    return std::unexpected(
        fmt::format("{0} is encrypted: name the file with its password in key_password_file, or "
                    "decrypt it with openssl pkey -in {0}",
                    file));
  }
  if (!key && password.asked) {
    return std::unexpected(fmt::format("the password in {} does not open {}: its first line must be the password",
                                       from.password_file.string(), file));
  }
  if (!key) return std::unexpected(fmt::format("{}: the private key in it is damaged: {}", file, error));
  if (const std::string problem = unusable_because(key.get()); !problem.empty()) {
    return std::unexpected(fmt::format("{} {}", file, problem));
  }
  return key;
}

std::expected<Key, std::string> read_private_key_of(const EVP_PKEY* public_key, const std::filesystem::path& chain,
                                                    const KeyFile& from) {
  auto key = read_private_key(from);
  if (key && EVP_PKEY_eq(public_key, key->get()) != 1) {
    ERR_clear_error();
    return std::unexpected(
        fmt::format("{} ({}) is not the key of the certificate in {} ({}): name the two files that "
                    "belong together",
                    from.file.string(), describe(key->get()), chain.string(), describe(public_key)));
  }
  return key;
}

}  // namespace hooksmtpd::tls
