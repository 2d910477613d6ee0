// A header field that a hook puts in front of a message.

#pragma once

#include <cstddef>
#include <string>

namespace hooksmtpd::mail {

struct AddedHeader {
  std::string name;   // a field-name (RFC 5322): printable ASCII without blank and colon, not empty
  std::string value;  // printable ASCII and tab; on the wire "name: value" is one line of at most 998 octets

  friend bool operator==(const AddedHeader&, const AddedHeader&) = default;
};

}  // namespace hooksmtpd::mail
