// What requests say of a session and of a message. Views: they live as long as the call that writes them.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::hook {

struct Endpoint {
  std::string_view ip;  // "192.0.2.7", "2001:db8::7"
  std::uint16_t port = 0;
};

// How a connection is encrypted, and who the client showed to be.
struct TlsFacts {
  std::string_view version{};             // "TLSv1.3"
  std::string_view cipher{};              // "TLS_AES_256_GCM_SHA384"
  int bits = 0;                           // of the cipher's key
  std::string_view server_name{};         // what the client called us (SNI); empty: nothing
  std::string_view client_subject{};      // of its certificate, RFC 2253; empty: it showed none
  std::string_view client_fingerprint{};  // SHA-256 of its certificate in hexadecimal
  bool client_verified = false;           // an authority of the configuration signed it
};

// What every request says of the session that it is about. All but the notes stays as it is for many requests.
struct SessionFacts {
  std::string_view id;
  std::string_view listener;
  Endpoint client;
  Endpoint server;
  std::string_view helo;      // as the client gave it; empty before EHLO or HELO
  std::string_view protocol;  // "SMTP", "ESMTPS", "LMTP" and so on (RFC 3848); empty before EHLO or HELO
  std::optional<TlsFacts> tls{};
  std::string_view user{};   // who has authenticated; empty: nobody
  std::string_view notes{};  // what this hook noted in this session, as Reply::notes gave it; empty or "{}": nothing
  // The members from listener to user, as written_once() gives them; empty: each request writes them anew.
  std::string_view written{};
};

// For many requests of a session that stays as it is.
std::string written_once(const SessionFacts& session);

struct MessageFacts {
  std::uint64_t size = 0;           // octets of the file, trace and added header fields included
  bool eight_bit = false;           // some octet is above 127
  std::uint64_t long_lines = 0;     // text lines over 1,000 octets (RFC 5321 §4.5.3.1.6)
  std::uint32_t trace_headers = 0;  // header fields that the daemon put in front (§4.4)
  std::uint32_t added_headers = 0;  // header fields that hooks had put right below those
  std::string_view path{};
  // The message itself instead of its path, if fits_inline() and the hook asked for that.
  std::optional<std::string_view> inline_body{};
};

// Encoded as a string, or in base64 where it is not UTF-8, the message takes at most this much of a request.
inline constexpr std::size_t kMaxInline = 64 * 1024;
bool fits_inline(std::string_view body);

}  // namespace hooksmtpd::hook
