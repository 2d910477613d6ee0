// What a session is told before it begins: what the administrator decides, and who is at the other end.

#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "proto/sasl/mechanism.h"

namespace hooksmtpd::sasl {
class PasswordFile;
}

namespace hooksmtpd::smtp {

// A session keeps the ones it began with.
struct Settings {
  std::string hostname;
  std::string banner;
  std::uint64_t message_size = 25 * 1024 * 1024;  // octets
  std::size_t recipients = 1000;                  // of one message
  std::size_t errors = 100;                       // 5yz replies to one client; 0: no limit
  std::size_t commands = 0;                       // of one session; 0: no limit
  bool strict_lines = false;                      // refuse text lines over kMaxTextLine

  // Whether anybody judges. Where nobody does no question is asked, and the answer is yes; where nobody judges
  // messages, none is passed on.
  struct Judged {
    bool host = false, starttls = false, helo = false, sender = false, recipient = false, data = false, message = false,
         command = false;
  } judged = {};

  enum class Protocol : std::uint8_t { kSmtp, kLmtp } protocol = Protocol::kSmtp;

  // Takes what bad clients do: a bare LF at the end of a command, spaces and missing brackets around a path, CR and LF
  // alone in a message, which is passed on as it came. Only CRLF.CRLF ends a message here, too.
  bool lenient = false;

  // STARTTLS (RFC 3207). kRequired: 530 to nearly everything before it. On a port with TLS from the first octet on
  // (RFC 8314) it does not matter: secured() before begin().
  enum class Tls : std::uint8_t { kNone, kOffered, kRequired } tls = Tls::kNone;

  struct Auth {
    enum class Source : std::uint8_t { kNone, kPasswords, kHook, kAcceptAny } source = Source::kNone;
    bool required = false;                      // 530 to MAIL without it
    bool before_tls = false;                    // otherwise 538 while the connection is in the clear
    std::vector<sasl::Mechanism> mechanisms{};  // in the order of EHLO; only what sasl::offered() has for the source
    const sasl::PasswordFile* users = nullptr;  // of kPasswords; outlives the session
  } auth = {};

  std::vector<std::string> hidden{};  // EHLO keywords in upper case: neither offered nor understood
  std::vector<std::string> added{};   // EHLO lines, sent as they are behind ours
};

struct Peer {
  std::string address;  // "127.0.0.1", "::1"; empty for a client of a unix socket
  std::uint16_t port = 0;
  bool may_xclient = false;  // trusted to say on whose behalf it speaks
};

// Of the encryption of a connection.
struct TlsFacts {
  std::string version{};      // "TLSv1.3"
  std::string cipher{};       // by its registered name: "TLS_AES_256_GCM_SHA384" (RFC 8314 §4.3)
  int bits = 0;               // of its secret key
  std::string server_name{};  // that the client asked for (SNI); empty: none
  // Of the client's certificate; empty: it sent none.
  std::string client_subject{};
  std::string client_fingerprint{};  // SHA-256, lower-case hex
  bool client_verified = false;      // one of the configured authorities vouches for it
};

}  // namespace hooksmtpd::smtp
