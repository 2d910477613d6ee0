// What SMTP says about a message beside the message (RFC 5321 §2.3.1).

#pragma once

#include <string>
#include <utility>
#include <vector>

#include "proto/mail/mailbox.h"

namespace hooksmtpd::mail {

// ESMTP parameters of MAIL or RCPT in the client's order (§4.1.2): keyword in upper case, value as it was sent,
// empty where there was none.
using Parameters = std::vector<std::pair<std::string, std::string>>;

struct Recipient {
  Mailbox mailbox;
  Parameters params;

  friend bool operator==(const Recipient&, const Recipient&) = default;
};

struct Envelope {
  ReversePath reverse_path;
  Parameters params;  // of MAIL
  std::vector<Recipient> recipients;

  friend bool operator==(const Envelope&, const Envelope&) = default;
};

}  // namespace hooksmtpd::mail
