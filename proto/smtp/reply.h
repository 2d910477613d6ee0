// A reply whose text comes from elsewhere: a hook's verdict, a host name, a HELP topic.
//
// Wordings of our own that do not vary are in replies.h.

#pragma once

#include <span>
#include <string>
#include <string_view>

namespace hooksmtpd::smtp {

class Reply {
 public:
  // The wire form, from anybody's text: each of `lines` becomes one clean line (RFC 5321 §4.2.1). CR, LF and control
  // octets become spaces, octets above 127 become '?', and a line is cut at 512 octets (§4.5.3.1.5); at most
  // kMaxReplyLines are sent. `enhanced` (RFC 3463), if not empty, stands behind the code in every line. The code must
  // be 200–599 and `enhanced` of its class: both are asserted, since whoever read them from a hook has checked.
  static Reply make(int code, std::string_view enhanced, std::span<const std::string> lines);
  static Reply make(int code, std::string_view enhanced, std::string_view line);

  std::string_view wire() const { return wire_; }

 private:
  std::string wire_;
};

// Replies in wire form without their enhanced codes, for a client that was not offered ENHANCEDSTATUSCODES.
std::string without_enhanced_codes(std::string_view wire);

// The code of a reply in wire form.
int code_of(std::string_view wire);

}  // namespace hooksmtpd::smtp
