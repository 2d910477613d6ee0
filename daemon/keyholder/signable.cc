#include "daemon/keyholder/signable.h"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <vector>

namespace hooksmtpd::keyholder {
namespace {

constexpr std::size_t kMd5AndSha1 = 16 + 20;
constexpr std::array<std::size_t, 5> kDigests{20, 28, 32, 48, 64};

constexpr std::array<std::uint8_t, 15> kSha1Prefix{0x30, 0x21, 0x30, 0x09, 0x06, 0x05, 0x2b, 0x0e,
                                                   0x03, 0x02, 0x1a, 0x05, 0x00, 0x04, 0x14};

// RFC 8017 §9.2 note 1: the prefixes of the SHA-2 family differ in two lengths and in the last number of the name.
struct Sha2 {
  std::uint8_t name, digest;
};
constexpr std::array kSha2{Sha2{1, 32}, Sha2{2, 48}, Sha2{3, 64}, Sha2{4, 28}};
std::array<std::uint8_t, 19> prefix_of(Sha2 hash) {
  return {0x30,       std::uint8_t(17 + hash.digest),
          0x30,       0x0d,
          0x06,       0x09,
          0x60,       0x86,
          0x48,       0x01,
          0x65,       0x03,
          0x04,       0x02,
          hash.name,  0x05,
          0x00,       0x04,
          hash.digest};
}

bool begins_with(Bytes data, Bytes prefix, std::size_t rest) {
  return data.size() == prefix.size() + rest && std::ranges::equal(data.first(prefix.size()), prefix);
}

// MGF1 (RFC 8017 appendix B.2.1): `length` octets out of `seed`.
std::vector<std::uint8_t> mask(Bytes seed, std::size_t length, const EVP_MD* hash) {
  std::vector<std::uint8_t> out;
  std::vector<std::uint8_t> input(seed.begin(), seed.end());
  input.resize(seed.size() + 4);
  for (std::uint8_t counter = 0; out.size() < length; ++counter) {
    assert(counter < 255);
    input.back() = counter;
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest{};
    unsigned int size = 0;
    if (EVP_Digest(input.data(), input.size(), digest.data(), &size, hash, nullptr) != 1) return {};
    out.insert(out.end(), digest.begin(), digest.begin() + size);
  }
  out.resize(length);
  return out;
}

// EMSA-PSS-VERIFY without the message (RFC 8017 §9.1.2, steps 4 to 10). `unused`: the high bits of the first octet.
bool is_pss(Bytes block, unsigned unused, const EVP_MD* hash) {
  const auto digest = static_cast<std::size_t>(EVP_MD_get_size(hash));
  if (block.size() < 2 * digest + 2) return false;
  const std::size_t db = block.size() - digest - 1;
  const std::vector<std::uint8_t> masked = mask(block.subspan(db, digest), db, hash);
  if (masked.empty() || block.back() != 0xbc || (block.front() & ~(0xffU >> unused)) != 0) return false;
  const std::size_t zeros = db - digest - 1;
  for (std::size_t i = 0; i <= zeros; ++i) {
    unsigned octet = block[i] ^ masked[i];
    if (i == 0) octet &= 0xffU >> unused;
    if (octet != (i == zeros ? 1U : 0U)) return false;
  }
  return true;
}

}  // namespace

bool is_digest_info(Bytes data) {
  if (data.size() == kMd5AndSha1 || begins_with(data, kSha1Prefix, 20)) return true;
  return std::ranges::any_of(kSha2, [&](Sha2 hash) { return begins_with(data, prefix_of(hash), hash.digest); });
}

bool is_pss_block(Bytes data, int bits) {
  if (bits < 1024 || data.size() != static_cast<std::size_t>(bits + 7) / 8) return false;
  const auto used = static_cast<unsigned>(bits - 1);  // emBits
  if (used % 8 == 0) {                                // then the block is one octet shorter than the modulus
    if (data.front() != 0) return false;
    data = data.subspan(1);
  }
  const unsigned unused = (8 - used % 8) % 8;
  return is_pss(data, unused, EVP_sha256()) || is_pss(data, unused, EVP_sha384()) || is_pss(data, unused, EVP_sha512());
}

bool is_digest_length(std::size_t length) { return std::ranges::find(kDigests, length) != kDigests.end(); }

}  // namespace hooksmtpd::keyholder
