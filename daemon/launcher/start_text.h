// What the daemon tells people when it starts.

#pragma once

#include <span>
#include <string>
#include <vector>

#include "daemon/launcher/tree.h"

namespace hooksmtpd::launcher {

// How to send a first message to the first address that speaks SMTP without TLS, else to the first that speaks SMTP,
// with swaks and with curl. Nothing where all speak LMTP.
std::vector<std::string> first_message(const config::Config& config, std::span<const BoundAddress> bound);

// Where the web pages of inboxes are: "read the mail: http://127.0.0.1:8025". Nothing where there is none on TCP.
std::vector<std::string> web_pages(const config::Config& config, std::span<const BoundAddress> bound);

// {"smtp":["127.0.0.1:40001","[::1]:40002"]}: by listener, on one line.
std::string bound_as_json(std::span<const BoundAddress> bound);

}  // namespace hooksmtpd::launcher
