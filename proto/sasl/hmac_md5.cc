// libcrypto's newer interface cannot take up MD5 in the middle; the older one can, and warns.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "proto/sasl/hmac_md5.h"

#include <openssl/crypto.h>
#include <openssl/md5.h>

#include <array>
#include <cassert>
#include <cstdint>

#include "proto/sasl/digest.h"

namespace hooksmtpd::sasl {

namespace {

using Block = std::array<std::uint8_t, MD5_CBLOCK>;
using State = std::array<std::uint8_t, 16>;

State state_after(const Block& block) {
  MD5_CTX context;
  MD5_Init(&context);
  MD5_Update(&context, block.data(), block.size());
  State state;
  std::size_t at = 0;
  for (const std::uint32_t word : {context.A, context.B, context.C, context.D}) {
    for (unsigned shift = 0; shift < 32; shift += 8) state[at++] = static_cast<std::uint8_t>(word >> shift);
  }
  OPENSSL_cleanse(&context, sizeof context);
  return state;
}

// MD5 of the block that led to `state` and of `text` behind it.
State md5_from(const State& state, std::string_view text) {
  MD5_CTX context;
  MD5_Init(&context);
  std::size_t at = 0;
  for (MD5_LONG* word : {&context.A, &context.B, &context.C, &context.D}) {
    *word = 0;
    for (unsigned shift = 0; shift < 32; shift += 8) *word |= static_cast<MD5_LONG>(state[at++]) << shift;
  }
  context.Nl = MD5_CBLOCK * 8;  // bits so far
  MD5_Update(&context, text.data(), text.size());
  State digest;
  MD5_Final(digest.data(), &context);
  return digest;
}

Block masked(std::string_view key, std::uint8_t mask) {
  Block block;
  block.fill(mask);
  for (std::size_t i = 0; i < key.size(); ++i) block[i] ^= octets(key)[i];
  return block;
}

}  // namespace

CramKeys derive_cram_keys(std::string_view password) {
  // RFC 2104 §2: a key longer than a block is hashed first.
  State hashed;
  if (password.size() > MD5_CBLOCK) {
    MD5(octets(password).data(), password.size(), hashed.data());
    password = text(hashed);
  }
  Block outer = masked(password, 0x5c), inner = masked(password, 0x36);
  CramKeys keys{.outer = state_after(outer), .inner = state_after(inner)};
  OPENSSL_cleanse(outer.data(), outer.size());
  OPENSSL_cleanse(inner.data(), inner.size());
  OPENSSL_cleanse(hashed.data(), hashed.size());
  return keys;
}

std::string hmac_md5_hex(const CramKeys& keys, std::string_view message) {
  const State inner = md5_from(keys.inner, message);
  const State digest = md5_from(keys.outer, text(inner));
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string hex;
  for (const std::uint8_t octet : digest) {
    hex += kDigits[octet >> 4];
    hex += kDigits[octet & 15];
  }
  return hex;
}

}  // namespace hooksmtpd::sasl
