// One message over one SMTP connection: all of its recipients or none.

#pragma once

#include <string>
#include <vector>

#include "daemon/sendmail/dialogue.h"
#include "daemon/sendmail/failure.h"
#include "daemon/sendmail/message.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::sendmail {

struct Transaction {
  std::string client_name;  // for EHLO
  mail::ReversePath sender;
  std::vector<mail::Mailbox> recipients;
  std::string notify, ret, envelope_id;  // RFC 3461, said only to a server that knows it; empty: not at all
};

// From the server's greeting to QUIT. There is no queue that could take care of the rest, so one recipient refused
// means that nobody gets the message. What the server refused, in its own words: EX_TEMPFAIL for 4xx; for 5xx EX_NOUSER
// where it is about a recipient, EX_NOPERM where it asks for authentication, else EX_UNAVAILABLE.
Result<> deliver(Dialogue& dialogue, const Message& message, const Transaction& transaction);

}  // namespace hooksmtpd::sendmail
