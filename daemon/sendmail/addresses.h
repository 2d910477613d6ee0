// Address lists as headers and people write them (RFC 5322 §3.4), by GMime.

#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "daemon/sendmail/failure.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::sendmail {

// The mailboxes in `text`, those inside of groups too; comments, names and encoded words are left aside. One without a
// domain gets `domain`. What SMTP could not say is EX_DATAERR, so that each can stand between the brackets of a path.
Result<std::vector<mail::Mailbox>> parse_addresses(const std::string& text, const std::string& domain);

// For a header field: "Ann <ann@example.test>", the name quoted or encoded (RFC 2047) as it needs.
std::string format_address(const std::string& name, const mail::Mailbox& mailbox);

}  // namespace hooksmtpd::sendmail
