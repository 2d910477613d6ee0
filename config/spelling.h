// How values are spelt as text: "25M", "500ms", "true". The same in a file, a variable and on the command line.
//
// An error is the end of a sentence that begins with the key: `must be from 1 to 64, not 65`.

#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

#include "config/config.h"

namespace hooksmtpd::config {

template <class T>
using Parsed = std::expected<T, std::string>;

Parsed<bool> parse_boolean(std::string_view text);
Parsed<std::uint64_t> parse_number(std::string_view text, std::uint64_t least, std::uint64_t most);

// Octets: "26214400", "64K", "25M", "1G", "1T", each letter 1024 times the one before; "64KiB" is the same as "64K".
Parsed<std::uint64_t> parse_size(std::string_view text, std::uint64_t least, std::uint64_t most);
// In the largest letter that leaves no fraction.
std::string size_text(std::uint64_t octets);

// "500ms", "5s", "2m", "1h": one whole number and its unit.
Parsed<Milliseconds> parse_duration(std::string_view text, Milliseconds least, Milliseconds most);
std::string duration_text(Milliseconds duration);

// A domain name (RFC 5321 §4.1.2) or an address literal in brackets (§4.1.3).
bool is_hostname(std::string_view text);

std::string_view to_string(LogLevel level);
std::string_view to_string(OnFailure on_failure);
std::string_view to_string(TlsMode mode);
std::string_view to_string(TlsVersion version);
std::string_view to_string(ClientCertificates wanted);
std::string_view to_string(AuthSource source);
std::string_view to_string(ListenerProtocol protocol);
std::string_view to_string(SandboxMode mode);
Parsed<LogLevel> parse_log_level(std::string_view text);
Parsed<OnFailure> parse_on_failure(std::string_view text);
Parsed<TlsMode> parse_tls_mode(std::string_view text);
Parsed<TlsVersion> parse_tls_version(std::string_view text);
Parsed<ClientCertificates> parse_client_certificates(std::string_view text);
Parsed<AuthSource> parse_auth_source(std::string_view text);
Parsed<ListenerProtocol> parse_listener_protocol(std::string_view text);
Parsed<SandboxMode> parse_sandbox_mode(std::string_view text);

// To whoever asks for SSLv3.
inline constexpr std::string_view kNoSsl =
    "SSLv2 and SSLv3 are broken and do not exist any more (RFC 6176, RFC 7568); the oldest is TLS \"1.0\"";

// For messages about what somebody else wrote: quotes and control bytes escaped, a long text cut.
std::string printable(std::string_view text);
// The same in double quotes.
std::string in_quotes(std::string_view text);

// "PLAIN, LOGIN": words with `between` between them.
std::string joined(const auto& words, std::string_view between) {
  std::string text;
  for (const std::string_view word : words) {
    if (!text.empty()) text += between;
    text += word;
  }
  return text;
}

}  // namespace hooksmtpd::config
