// What comes next in an AUTH exchange.

#pragma once

#include <string>
#include <variant>

namespace hooksmtpd::sasl {

// To be sent to the client in base64, as 334. May be empty.
struct Challenge {
  std::string bytes;
};

// All is said: somebody else decides about Exchange::credentials().
struct Judge {};

// Proven by the password file.
struct Accepted {};

struct Refused {
  bool malformed = false;       // not what the mechanism's grammar allows: 501 5.5.2; else 535 5.7.8
  std::string final_challenge;  // to be sent as 334 first, and answered by the client; empty: there is none
};

using Step = std::variant<Challenge, Judge, Accepted, Refused>;

}  // namespace hooksmtpd::sasl
