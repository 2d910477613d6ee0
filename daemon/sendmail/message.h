// The message as it comes from standard input, and what it needs before it can be sent.

#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "daemon/sendmail/failure.h"
#include "daemon/sendmail/header.h"
#include "daemon/sendmail/line_ends.h"
#include "daemon/sendmail/spool.h"
#include "proto/mail/mailbox.h"

namespace hooksmtpd::sendmail {

// More than this before the first empty line is no header.
inline constexpr std::size_t kMaxHeader = 1024 * 1024;

struct Message {
  Header header;
  Spool body;  // without the empty line between the two
  bool eight_bit_body = false;

  // As it goes out: header, empty line, body (RFC 1870 §3: dots are not counted twice).
  std::uint64_t size() const { return header.text().size() + 2 + body.size(); }
};

// Reads `input` to its end, or to a lone dot. Memory stays bounded however long it is.
Result<Message> read_message(int input, LineEnds::Dot dot);

// To:, Cc: and Bcc:, or their Resent- forms if it was resent (RFC 5322 §3.6.6).
Result<std::vector<mail::Mailbox>> recipients_of(const Header& header, const std::string& domain);

// Who sends, for completing a header.
struct Author {
  std::string name;  // may be empty
  mail::Mailbox mailbox;
  std::string domain;  // of Message-ID
};

// Takes Bcc: and Resent-Bcc: away and adds From:, Date: and Message-ID: where they are missing. All else stays.
void complete(Header& header, const Author& author);

}  // namespace hooksmtpd::sendmail
