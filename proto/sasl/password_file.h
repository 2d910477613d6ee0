// The password file: one entry a line, made by `hooksmtpd passwd`. No password stands in it.
//
//   ann:{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=$wfPLwcE6nTWhTA…=
//   bob:{SCRAM-SHA-256}4096,…$…$…:{CRAM-MD5}dc6bbe0f…
//
// The first field is the user's name: UTF-8 after SASLprep, without control characters and without ':'. The second is
// what RFC 5803 keeps of a password for SCRAM-SHA-256: iterations, the salt, StoredKey and ServerKey, the last three in
// base64. SCRAM, PLAIN and LOGIN work with it. The third is there if the password should do for CRAM-MD5 too: the
// states of MD5 after the outer and after the inner block of HMAC, 32 octets in hex (RFC 2195 §3 calls it the
// intermediate results). THAT FIELD IS AS GOOD AS THE PASSWORD to whoever wants to log in by CRAM-MD5.
// Empty lines and lines that begin with '#' are skipped.

#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hooksmtpd::sasl {

using Key = std::array<std::uint8_t, 32>;

// RFC 7677 §4 asks for 4096 at least. A client that is not logged in can make the server count to the end as often as
// it likes, a fifth of a microsecond each, while everybody else waits: hence the other bound.
inline constexpr std::uint32_t kMinIterations = 4096;
inline constexpr std::uint32_t kMaxIterations = 100'000;

// In octets.
inline constexpr std::size_t kMaxUser = 255;
inline constexpr std::size_t kMinSalt = 8, kMaxSalt = 64;

// What is kept for SCRAM-SHA-256 (RFC 5802 §3).
struct ScramKeys {
  std::uint32_t iterations = kMinIterations;
  std::string salt;  // octets
  Key stored{}, server{};

  friend bool operator==(const ScramKeys&, const ScramKeys&) = default;
};

// What is kept for CRAM-MD5: the four words of MD5's state, little end first, after one block.
struct CramKeys {
  std::array<std::uint8_t, 16> outer{}, inner{};

  friend bool operator==(const CramKeys&, const CramKeys&) = default;
};

struct Entry {
  std::string user;
  ScramKeys scram;
  std::optional<CramKeys> cram;

  friend bool operator==(const Entry&, const Entry&) = default;
};

// The line of an entry, without an end of line.
std::string to_string(const Entry& entry);

// A mistake, where it stands (both from 1, columns in octets), and how to mend it. Never quotes a key.
struct LineError {
  std::size_t line, column;
  std::string text;

  friend bool operator==(const LineError&, const LineError&) = default;
};

// Nullopt for a name that may stand in the file, else what is wrong with it.
std::optional<std::string_view> wrong_with_name(std::string_view user);

// Every entry of a file, each name once.
class PasswordFile {
 public:
  // All the mistakes of the text, not just the first.
  static std::expected<PasswordFile, std::vector<LineError>> parse(std::string_view text);

  // The entry of a name, octet for octet, or null.
  const Entry* find(std::string_view user) const;

  // Some entry was made for CRAM-MD5.
  bool has_cram() const { return has_cram_; }

  // Sorted by name.
  std::span<const Entry> entries() const { return entries_; }

  // All StoredKeys in one. Who does not know every password of the file can tell nothing about it: what must look
  // random to clients and yet stay the same is made from this (see decoy.h).
  const Key& seed() const { return seed_; }

 private:
  std::vector<Entry> entries_;
  Key seed_{};
  bool has_cram_ = false;
};

}  // namespace hooksmtpd::sasl
