// A header field that a hook puts in front of a message.

#pragma once

#include <cstddef>
#include <string>

namespace hooksmtpd::mail {

struct AddedHeader {
  std::string name;   // RFC 5322 §2.2: printable ASCII without blank and colon, not empty
  std::string value;  // printable ASCII and tab; on the wire "name: value" fits one line of 998 octets (§2.1.1)

  friend bool operator==(const AddedHeader&, const AddedHeader&) = default;
};

}  // namespace hooksmtpd::mail
