// Domain names beyond ASCII (IDNA 2008, RFC 5890; mapped as UTS 46 says), by libidn2.
//
// The same domain has two forms: "köln.example", as people write it (U-labels), and "xn--kln-sna.example", as the DNS
// knows it (A-labels).

#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hooksmtpd::mail {

// One domain has one form here: "KÖLN.example" -> "köln.example", in lower case and normalised (NFC). `text` is a name
// with at least one octet above 127. nullopt: no such name can be registered, or it is too long for the DNS. ASCII that
// no name should have may still be in it, even if it was not in `text`: a wide "＠" comes out as "@".
std::optional<std::string> normalise_international(std::string_view text);

// "köln.example" -> "xn--kln-sna.example", of a domain that a parser gave. What is ASCII already is given as it is, so
// that two domains are the same exactly if this is.
std::string ascii_domain(std::string_view domain);

}  // namespace hooksmtpd::mail
