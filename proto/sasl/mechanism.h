// The SASL mechanisms there are (RFC 4422), by the names that AUTH knows them by, and who can judge which.

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace hooksmtpd::sasl {

// Strongest first: the order in which EHLO offers them.
enum class Mechanism : std::uint8_t { kScramSha256, kPlain, kLogin, kCramMd5, kXoauth2, kOauthbearer };

// "SCRAM-SHA-256".
std::string_view to_string(Mechanism mechanism);

// In any case of letters (RFC 4954 §8).
std::optional<Mechanism> parse_mechanism(std::string_view text);

// Who says whether a client is who it claims to be.
enum class Source : std::uint8_t { kPasswords, kHook, kAcceptAny };

class PasswordFile;

// What a source can do. A password file knows nothing of tokens, and CRAM-MD5 only if an entry was made for it. With
// the other two there is no SCRAM: there the client wants a proof from the server too, and only keys can give one. A
// hook gets no CRAM-MD5, because all it could do with a digest is to hold passwords in the clear.
// `users` is for kPasswords; null is a file without entries.
std::vector<Mechanism> offered(Source source, const PasswordFile* users);

}  // namespace hooksmtpd::sasl
