// What a TLS server has its key sign: digests of handshakes, in three forms. A key that signed just anything would also
// decrypt: an RSA signature without padding is the decryption of its block.

#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hooksmtpd::keyholder {

using Bytes = std::span<const std::uint8_t>;

// A DigestInfo (RFC 8017 §9.2) of SHA-1, SHA-224, SHA-256, SHA-384 or SHA-512, or MD5 and SHA-1 one after the other
// (RFC 4346 §7.4.3: TLS 1.0 and 1.1).
bool is_digest_info(Bytes data);

// A block for a modulus of `bits` bits as EMSA-PSS makes it (RFC 8017 §9.1.1), with SHA-256, SHA-384 or SHA-512 for
// both hashes and a salt as long as the hash: the only form that TLS has (RFC 8446 §4.2.3). No block of another's
// choosing passes but for one in 2^400 or more.
bool is_pss_block(Bytes data, int bits);

// The length of a hash that TLS signs, SHA-1 to SHA-512 (RFC 8422 §5.10).
bool is_digest_length(std::size_t length);

}  // namespace hooksmtpd::keyholder
