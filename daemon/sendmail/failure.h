// Why a message was not sent.

#pragma once

#include <expected>
#include <string>

namespace hooksmtpd::sendmail {

struct Failure {
  int status;        // of sysexits(3)
  std::string text;  // for people, without a line end
};

template <class T = void>
using Result = std::expected<T, Failure>;

inline std::unexpected<Failure> fail(int status, std::string text) {
  return std::unexpected(Failure{status, std::move(text)});
}

}  // namespace hooksmtpd::sendmail
