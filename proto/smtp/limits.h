// Every number of RFC 5321 §4.5.3 that we enforce, and our own beside them. What an administrator may change is in
// Settings (session.h); these are fixed. Octets, line ends included, unless the name says otherwise.

#pragma once

#include <cstddef>
#include <cstdint>

namespace hooksmtpd::smtp {

// §4.5.3.1.4 asks for 512 and extensions for more (SIZE 26, BODY 17, DSN 500, AUTH 500). A longer one: 500 5.5.2.
inline constexpr std::size_t kMaxCommandLine = 2048;

// RFC 4954 §4, of a line that answers AUTH. A longer one: 500 5.5.6.
inline constexpr std::size_t kMaxAuthLine = 12288;

// What is read of an over-long command line before the connection is closed (421 4.7.0).
inline constexpr std::size_t kMaxSkippedLine = 64 * 1024;

// §4.5.3.1.3, angle brackets included. A longer one: 501 5.1.7 or 5.1.3, "Path too long".
inline constexpr std::size_t kMaxPath = 256;

// §4.5.3.1.5. No reply line of ours is longer.
inline constexpr std::size_t kMaxReplyLine = 512;

// §4.5.3.1.6. A minimum to accept, not a maximum: counted, and refused only under `strict_lines`.
inline constexpr std::size_t kMaxTextLine = 1000;

// Logins of one session that may fail; then 421 4.7.0. To check a password takes some milliseconds, on purpose.
inline constexpr std::size_t kMaxFailedLogins = 10;

// Questions of one session that may be out at once (pipelined RCPTs); the next command waits.
inline constexpr std::size_t kMaxQuestions = 64;

// What the recipients of one message may take in the request of a hook, whose line has at most 1 MiB (PROTOCOL.md),
// as JSON: the rest of it has room for the other facts. One that passes it gets 452 (§4.5.3.1.10), as one too many
// does; 100 of the longest are never too many.
inline constexpr std::size_t kMaxRecipientsRoom = 768 * 1024;

// Lines of one multi-line reply: of a hook's, or of EHLO with what the administrator adds.
inline constexpr std::size_t kMaxReplyLines = 40;

// A BDAT that announces more ends the session (421 4.7.0): the rest of its life would be spent on skipping octets.
inline constexpr std::uint64_t kMaxChunk = std::uint64_t{1} << 40;

// Seconds that a message may ask to be held (RFC 4865): 30 days. What it means is for hooks to say.
inline constexpr std::uint32_t kLongestHold = 30 * 24 * 3600;

}  // namespace hooksmtpd::smtp
