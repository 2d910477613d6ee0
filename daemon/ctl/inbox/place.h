// Where the inbox listens, and what it wants to hear before it answers.

#pragma once

#include <expected>
#include <string>

#include "daemon/ctl/command.h"

namespace hooksmtpd::ctl::inbox {

struct Place {
  std::string url;         // "http://127.0.0.1:8025", without a slash at its end; of a socket "http://localhost"
  std::string socket{};    // the path of a unix socket that is connected to instead of the URL's host
  std::string password{};  // of HTTP Basic; empty: none
  std::string why{};

  // As an error names it: the URL, or "unix:/path".
  std::string name() const { return socket.empty() ? url : "unix:" + socket; }
};

// "http://…", "https://…", "unix:/path", or an address as of a listener: "127.0.0.1:8025". The error is a sentence.
std::expected<Place, std::string> parse_place(const std::string& text);

// --url, else $HOOKSMTPD_INBOX, else the web page of the daemon that runs, else, where none can be asked, the address
// that an inbox has by default. The password is the first line of --password-file, else $HOOKSMTPD_INBOX_PASSWORD.
std::expected<Place, Failure> find_place(const Context& context);

}  // namespace hooksmtpd::ctl::inbox
