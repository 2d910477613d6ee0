// A password file that the tests share, and steps printed small.

#pragma once

#include <string>
#include <string_view>

#include "proto/sasl/exchange.h"

namespace hooksmtpd::sasl {

// RFC 7677 §3: "user" has the password "pencil".
inline constexpr std::string_view kPencilKeys =
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY="
    "$wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";

inline constexpr std::string_view kNonce = "%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";

inline PasswordFile parsed(std::string_view text) { return PasswordFile::parse(text).value(); }

inline const PasswordFile& users() {
  static const PasswordFile file = parsed("user:" + std::string(kPencilKeys) + "\n");
  return file;
}

// "334 bytes", "judge", "accepted", "501", "535", "334 bytes, then 535".
inline std::string shown(const Step& step) {
  if (const auto* challenge = std::get_if<Challenge>(&step)) return "334 " + challenge->bytes;
  if (std::holds_alternative<Judge>(step)) return "judge";
  if (std::holds_alternative<Accepted>(step)) return "accepted";
  const auto& refused = std::get<Refused>(step);
  if (refused.malformed) return "501";
  return refused.final_challenge.empty() ? "535" : "334 " + refused.final_challenge + ", then 535";
}

}  // namespace hooksmtpd::sasl
