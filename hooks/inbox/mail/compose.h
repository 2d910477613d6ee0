// A message from its pieces, as a program gives them, by GMime (RFC 5322, RFC 2045).

#pragma once

#include <expected>
#include <string>
#include <utility>
#include <vector>

#include "hooks/inbox/store/values.h"

namespace hooksmtpd::inbox {

struct Draft {
  struct File {
    std::string filename, type;  // empty: by what it begins with
    std::string content_id;      // without brackets; not empty: the HTML shows it
    std::string octets;
  };
  Address from;
  Addresses to, cc, bcc, reply_to;
  std::string subject, text, html;
  std::vector<std::pair<std::string, std::string>> headers;  // further fields
  std::vector<std::string> tags;
  std::vector<File> files;
};

// Its octets: lines that end with CRLF, the last one of a single text as that does; pure ASCII but for addresses that
// are not. Whatever the texts have in them, each field is one field. The error is a sentence: an address that is none,
// a field's name that cannot be or is one of those above.
std::expected<std::string, std::string> compose(const Draft& draft);

// It is one address, and nothing else: "ann@example.test".
bool is_address(const std::string& text);

}  // namespace hooksmtpd::inbox
