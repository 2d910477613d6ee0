#include "daemon/tls/remote_key.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <vector>

#include "daemon/tls/key_kind.h"

#pragma GCC diagnostic ignored "-Wdeprecated-declarations"  // RSA_METHOD and EC_KEY_METHOD: see remote_key.h

namespace hooksmtpd::tls {
namespace {

using sys::SignKind;
using sys::SignReply;
using sys::SignRequest;
using sys::SignStatus;

struct FreeBytes {
  void operator()(unsigned char* bytes) const noexcept { OPENSSL_free(bytes); }
};
struct FreeKey {
  void operator()(RSA* key) const noexcept { RSA_free(key); }
  void operator()(EC_KEY* key) const noexcept { EC_KEY_free(key); }
};

std::string_view reason(SignStatus status) {
  switch (status) {
    case SignStatus::kSigned:
      return "its signature has a wrong length";
    case SignStatus::kUnknownKey:
      return "it does not have this key";
    case SignStatus::kRefused:
      return "it does not sign such data";
    case SignStatus::kTooMany:
      return "too many signatures a second";
    case SignStatus::kFailed:
      break;
  }
  return "no answer";
}

sys::KeyId digest(const unsigned char* spki, int length) {
  sys::KeyId id;
  SHA256(spki, static_cast<std::size_t>(length), id.data());
  return id;
}

// Writes the signature to `to`, which has room for `room` octets. Returns its length, or -1 with an error queued.
int ask(Signer& signer, const sys::KeyId& key, SignKind kind, const unsigned char* data, int length, unsigned char* to,
        int room) {
  SignRequest request{.key = key, .kind = kind, .length = static_cast<std::uint32_t>(length), .data = {}};
  if (length < 0 || request.length > request.data.size()) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_PASSED_INVALID_ARGUMENT, "the key is too long for the keyholder");
    return -1;
  }
  std::memcpy(request.data.data(), data, request.length);
  const SignReply reply = signer.sign(request);
  if (reply.status != SignStatus::kSigned || reply.length == 0 || reply.length > reply.signature.size() ||
      reply.length > static_cast<std::uint32_t>(room)) {
    ERR_raise_data(ERR_LIB_USER, ERR_R_OPERATION_FAIL, "keyholder: %s", reason(reply.status).data());
    return -1;
  }
  std::memcpy(to, reply.signature.data(), reply.length);
  return static_cast<int>(reply.length);
}

// The index says where in a key its Signer stands. The key does not own it.
int rsa_index() {
  static const int index = RSA_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}
int ec_index() {
  static const int index = EC_KEY_get_ex_new_index(0, nullptr, nullptr, nullptr, nullptr);
  return index;
}

// Signatures of the RSA key, with the padding of RFC 8017 §8.2 (ours to name) or §8.1 (already there).
int sign_rsa(int length, const unsigned char* from, unsigned char* to, RSA* rsa, int padding) noexcept {
  auto* const signer = static_cast<Signer*>(RSA_get_ex_data(rsa, rsa_index()));
  unsigned char* spki = nullptr;
  const int spki_length = i2d_RSA_PUBKEY(rsa, &spki);
  const std::unique_ptr<unsigned char, FreeBytes> owner(spki);
  if (signer == nullptr || spki_length <= 0 || (padding != RSA_PKCS1_PADDING && padding != RSA_NO_PADDING)) {
    ERR_raise(ERR_LIB_RSA, RSA_R_UNKNOWN_PADDING_TYPE);
    return -1;
  }
  const SignKind kind = padding == RSA_PKCS1_PADDING ? SignKind::kRsaPkcs1 : SignKind::kRsaPss;
  return ask(*signer, digest(spki, spki_length), kind, from, length, to, RSA_size(rsa));
}

// RSA key exchange is off, so nobody asks; and the keyholder would not.
int decrypt_rsa(int, const unsigned char*, unsigned char*, RSA*, int) noexcept {
  ERR_raise(ERR_LIB_RSA, ERR_R_SHOULD_NOT_HAVE_BEEN_CALLED);
  return -1;
}

int sign_ec(int, const unsigned char* hash, int length, unsigned char* signature, unsigned int* signature_length,
            const BIGNUM*, const BIGNUM*, EC_KEY* key) noexcept {
  auto* const signer = static_cast<Signer*>(EC_KEY_get_ex_data(key, ec_index()));
  unsigned char* spki = nullptr;
  const int spki_length = i2d_EC_PUBKEY(key, &spki);
  const std::unique_ptr<unsigned char, FreeBytes> owner(spki);
  if (signer == nullptr || spki_length <= 0) {
    ERR_raise(ERR_LIB_EC, ERR_R_PASSED_NULL_PARAMETER);
    return 0;
  }
  const int got = ask(*signer, digest(spki, spki_length), SignKind::kEcdsa, hash, length, signature, ECDSA_size(key));
  *signature_length = got > 0 ? static_cast<unsigned int>(got) : 0;
  return got > 0 ? 1 : 0;
}

const RSA_METHOD* rsa_method() {
  static const auto method = [] {
    RSA_METHOD* const made = RSA_meth_dup(RSA_PKCS1_OpenSSL());
    if (made == nullptr || RSA_meth_set1_name(made, "keyholder") != 1 || RSA_meth_set_priv_enc(made, sign_rsa) != 1 ||
        RSA_meth_set_priv_dec(made, decrypt_rsa) != 1) {
      throw std::runtime_error("RSA_meth_dup: " + take_error());
    }
    return made;
  }();
  return method;
}

const EC_KEY_METHOD* ec_method() {
  static const auto method = [] {
    EC_KEY_METHOD* const made = EC_KEY_METHOD_new(EC_KEY_OpenSSL());
    if (made == nullptr) throw std::runtime_error("EC_KEY_METHOD_new: " + take_error());
    EC_KEY_METHOD_set_sign(made, sign_ec, nullptr, nullptr);
    return made;
  }();
  return method;
}

std::vector<unsigned char> spki_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int length = i2d_PUBKEY(key, &der);
  const std::unique_ptr<unsigned char, FreeBytes> owner(der);
  if (length <= 0) throw std::runtime_error("i2d_PUBKEY: " + take_error());
  return {der, der + length};
}

}  // namespace

sys::KeyId key_id(const EVP_PKEY* key) {
  const std::vector<unsigned char> spki = spki_of(key);
  return digest(spki.data(), static_cast<int>(spki.size()));
}

std::expected<Key, std::string> make_remote_key(EVP_PKEY* public_key, Signer& signer) {
  if (const std::string problem = unusable_because(public_key); !problem.empty()) return std::unexpected(problem);
  const std::vector<unsigned char> spki = spki_of(public_key);
  const unsigned char* at = spki.data();
  const auto length = static_cast<long>(spki.size());
  Key key(EVP_PKEY_new());
  bool made = false;
  if (EVP_PKEY_get_base_id(public_key) == EVP_PKEY_RSA) {
    std::unique_ptr<RSA, FreeKey> rsa(d2i_RSA_PUBKEY(nullptr, &at, length));
    made = rsa && RSA_set_method(rsa.get(), rsa_method()) == 1 &&
           RSA_set_ex_data(rsa.get(), rsa_index(), &signer) == 1 && EVP_PKEY_set1_RSA(key.get(), rsa.get()) == 1;
  } else {
    std::unique_ptr<EC_KEY, FreeKey> ec(d2i_EC_PUBKEY(nullptr, &at, length));
    made = ec && EC_KEY_set_method(ec.get(), ec_method()) == 1 &&
           EC_KEY_set_ex_data(ec.get(), ec_index(), &signer) == 1 && EVP_PKEY_set1_EC_KEY(key.get(), ec.get()) == 1;
  }
  if (!made) return std::unexpected("OpenSSL cannot use its public key: " + take_error());
  return key;
}

}  // namespace hooksmtpd::tls
