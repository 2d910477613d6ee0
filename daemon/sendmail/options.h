// The command line of sendmail, as programs that pipe a message to it have used it for forty years.

#pragma once

#include <optional>
#include <string>
#include <vector>

#include "daemon/sendmail/failure.h"

namespace hooksmtpd::sendmail {

enum class Mode {
  kSend,     // -bm, the default: a message on standard input
  kSession,  // -bs: the caller speaks SMTP itself
  kNothing,  // -bi, -bp, -q, -I: about a queue or an alias file, and there is none
  kHelp,
  kVersion,
};

struct Options {
  Mode mode = Mode::kSend;
  bool recipients_from_header = false;  // -t
  bool dot_is_text = false;             // -i, -oi: a line with only a dot does not end the message
  bool verbose = false;                 // -v
  std::optional<std::string> sender;    // -f, -r
  std::string full_name;                // -F
  std::string server;                   // --server
  // Delivery status notifications (RFC 3461), as they stand on the wire; empty: not asked for.
  std::string notify;       // -N: "NEVER", or of SUCCESS, FAILURE, DELAY
  std::string ret;          // -R: "FULL" or "HDRS"
  std::string envelope_id;  // -V, in xtext
  std::vector<std::string> recipients;
};

// `arguments` without the program's name. Whatever does not exist, or says what only a mail server with a queue could
// do
// (-bd, -bv), is EX_USAGE.
Result<Options> parse_options(const std::vector<std::string>& arguments);

}  // namespace hooksmtpd::sendmail
