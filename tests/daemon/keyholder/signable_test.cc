#include "daemon/keyholder/signable.h"

#include <doctest/doctest.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/keyholder/sign.h"
#include "tests/daemon/tls/fixtures.h"

using namespace fixtures;
using namespace hooksmtpd::keyholder;

namespace {

std::vector<std::uint8_t> bytes(std::initializer_list<int> head, std::size_t zeros = 0) {
  std::vector<std::uint8_t> all;
  for (const int octet : head) all.push_back(static_cast<std::uint8_t>(octet));
  all.resize(all.size() + zeros);
  return all;
}

// A block as a TLS server pads it, found by undoing OpenSSL's own signature.
std::vector<std::uint8_t> pss_block(EVP_PKEY* key, const EVP_MD* hash, int salt_length) {
  std::vector<std::uint8_t> signature(static_cast<std::size_t>(EVP_PKEY_get_size(key)));
  std::size_t length = signature.size();
  EVP_MD_CTX* const digest = EVP_MD_CTX_new();
  EVP_PKEY_CTX* how = nullptr;
  REQUIRE(EVP_DigestSignInit(digest, &how, hash, nullptr, key) == 1);
  EVP_PKEY_CTX_set_rsa_padding(how, RSA_PKCS1_PSS_PADDING);
  EVP_PKEY_CTX_set_rsa_pss_saltlen(how, salt_length);
  REQUIRE(EVP_DigestSign(digest, signature.data(), &length, signature.data(), 3) == 1);
  EVP_MD_CTX_free(digest);
  EVP_PKEY_CTX* const open = EVP_PKEY_CTX_new(key, nullptr);
  std::vector<std::uint8_t> block(length);
  REQUIRE(EVP_PKEY_verify_recover_init(open) == 1);
  EVP_PKEY_CTX_set_rsa_padding(open, RSA_NO_PADDING);
  REQUIRE(EVP_PKEY_verify_recover(open, block.data(), &length, signature.data(), signature.size()) == 1);
  EVP_PKEY_CTX_free(open);
  return block;
}

sys::SignRequest request_of(sys::SignKind kind, const std::vector<std::uint8_t>& data) {
  sys::SignRequest request{.key = {}, .kind = kind, .length = static_cast<std::uint32_t>(data.size()), .data = {}};
  std::ranges::copy(data, request.data.begin());
  return request;
}

}  // namespace

TEST_CASE("a DigestInfo is one of the hashes that TLS signs, octet for octet (RFC 8017 §9.2)") {
  const auto sha256 = bytes({0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
                             0x05, 0x00, 0x04, 0x20},
                            32);
  CHECK(is_digest_info(sha256));
  CHECK(is_digest_info(bytes({}, 36)));  // MD5 and SHA-1
  CHECK(is_digest_info(
      bytes({0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14}, 20)));
  auto wrong = sha256;
  wrong[14] = 0x09;  // another hash
  CHECK_FALSE(is_digest_info(wrong));
  wrong = sha256;
  wrong.push_back(0);
  CHECK_FALSE(is_digest_info(wrong));
  wrong = sha256;
  wrong.pop_back();
  CHECK_FALSE(is_digest_info(wrong));
  for (const std::size_t length : {0, 1, 16, 20, 32, 35, 37, 51, 83, 245})
    CHECK_FALSE(is_digest_info(bytes({}, length)));
}

TEST_CASE("a PSS block is told from every other block (RFC 8017 §9.1)") {
  for (const char* const kind : {"RSA:2048", "RSA:2049", "RSA:2050", "RSA:2055"}) {
    const tls::Key key = new_key(kind);
    const int bits = EVP_PKEY_get_bits(key.get());
    for (const EVP_MD* const hash : {EVP_sha256(), EVP_sha384(), EVP_sha512()}) {
      CAPTURE(bits);
      const auto block = pss_block(key.get(), hash, RSA_PSS_SALTLEN_DIGEST);
      CHECK(is_pss_block(block, bits));
      for (const std::size_t at : {std::size_t(1), block.size() / 4, block.size() - 2, block.size() - 1}) {
        auto wrong = block;
        wrong[at] ^= 1;
        CHECK_FALSE(is_pss_block(wrong, bits));
      }
      auto high = block;
      high[0] |= 0x80;
      CHECK_FALSE(is_pss_block(high, bits));
    }
    CHECK_FALSE(is_pss_block(pss_block(key.get(), EVP_sha256(), 0), bits));   // no salt
    CHECK_FALSE(is_pss_block(pss_block(key.get(), EVP_sha256(), 20), bits));  // a short one
    CHECK_FALSE(is_pss_block(pss_block(key.get(), EVP_sha1(), RSA_PSS_SALTLEN_DIGEST), bits));
  }
  CHECK_FALSE(is_pss_block({}, 2048));
  CHECK_FALSE(is_pss_block(bytes({}, 256), 2048));
  CHECK_FALSE(is_pss_block(bytes({}, 255), 2048));
}

TEST_CASE("an RSA key does not decrypt, whatever the request is called") {
  const tls::Key key = new_key("RSA:2048");
  const std::string secret = "a premaster secret of forty-eight octets, or so.";
  EVP_PKEY_CTX* const context = EVP_PKEY_CTX_new(key.get(), nullptr);
  std::vector<std::uint8_t> encrypted(256);
  std::size_t length = encrypted.size();
  REQUIRE(EVP_PKEY_encrypt_init(context) == 1);
  REQUIRE(EVP_PKEY_encrypt(context, encrypted.data(), &length, reinterpret_cast<const std::uint8_t*>(secret.data()),
                           secret.size()) == 1);
  EVP_PKEY_CTX_free(context);
  for (const auto kind : {sys::SignKind::kRsaPkcs1, sys::SignKind::kRsaPss, sys::SignKind::kEcdsa}) {
    CHECK(sign(key.get(), request_of(kind, encrypted)).status == sys::SignStatus::kRefused);
  }
}

TEST_CASE("a key signs requests of its own kind and of the right length only") {
  const tls::Key rsa = new_key("RSA:2048");
  const tls::Key ec = new_key("P-256");
  using enum sys::SignKind;
  CHECK(sign(ec.get(), request_of(kEcdsa, bytes({}, 32))).status == sys::SignStatus::kSigned);
  CHECK(sign(rsa.get(), request_of(kEcdsa, bytes({}, 32))).status == sys::SignStatus::kRefused);
  CHECK(sign(ec.get(), request_of(kRsaPkcs1, bytes({}, 36))).status == sys::SignStatus::kRefused);
  CHECK(sign(rsa.get(), request_of(kRsaPkcs1, bytes({}, 36))).length == 256);
  CHECK(sign(nullptr, request_of(kEcdsa, bytes({}, 32))).status == sys::SignStatus::kUnknownKey);
  for (const std::size_t length : {0, 1, 16, 19, 21, 31, 33, 65, 512}) {
    CHECK(sign(ec.get(), request_of(kEcdsa, bytes({}, length))).status == sys::SignStatus::kRefused);
  }
}

TEST_CASE("a request that our code would not write is not well formed") {
  sys::SignRequest request = request_of(sys::SignKind::kEcdsa, bytes({}, 32));
  CHECK(is_well_formed(request));
  request.length = 513;
  CHECK_FALSE(is_well_formed(request));
  request.length = 32;
  request.data[32] = 1;  // something behind what counts
  CHECK_FALSE(is_well_formed(request));
  request.data[32] = 0;
  request.kind = static_cast<sys::SignKind>(4);
  CHECK_FALSE(is_well_formed(request));
}
