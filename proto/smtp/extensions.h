// The extensions of a server by their EHLO keywords: which of them a session understands, and which it offers now.
//
// The two differ: STARTTLS is not offered any more once the connection is encrypted (RFC 3207 §4.2), and still is 503
// and not an unknown command. What the administrator hid is neither, as on a server that never heard of it.

#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "proto/smtp/command.h"
#include "proto/smtp/date.h"
#include "proto/smtp/parameters.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::smtp {

// In the order of EHLO.
enum class Extension : std::uint8_t {
  kPipelining,
  kSize,
  kEightBitMime,
  kEnhancedStatusCodes,
  kStartTls,
  kAuth,
  kChunking,
  kBinaryMime,
  kSmtpUtf8,
  kDsn,
  kRequireTls,
  kLimits,
  kDeliverBy,
  kFutureRelease,
  kMtPriority,
  kXclient,
  kHelp,
};

// The keyword: "8BITMIME".
std::string_view to_string(Extension extension);

// What it depends on beside the settings.
struct Circumstances {
  const Settings& settings;
  bool tls;          // the connection is encrypted
  bool may_xclient;  // see Peer
};

bool understands(Extension extension, const Circumstances& circumstances);
bool offers(Extension extension, const Circumstances& circumstances);

// Whether a command is one that the session knows: its extension is understood, and it is of this protocol (RFC 2033
// §4.1: LHLO takes the place of EHLO and HELO).
bool understands(Verb verb, const Circumstances& circumstances);

// What the reply to EHLO lists, in its order, a line each.
std::vector<std::string> ehlo_lines(const Circumstances& circumstances, const Now& now);

// What the parameters of MAIL and RCPT may be.
Offer parameters_offered(const Circumstances& circumstances, const Now& now);

}  // namespace hooksmtpd::smtp
