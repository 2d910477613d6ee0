// The asking end of a socket on which the keyholder signs.

#pragma once

#include <chrono>
#include <expected>

#include "daemon/sys/fd.h"
#include "daemon/sys/signing.h"

namespace hooksmtpd::tls {

enum class AskError {
  kLate,  // no answer in time
  kLost,  // the other end is closed, or sent what is no SignReply
};

// Sends `request` and waits for its reply. After an error the socket is of no use: a late answer would be taken for the
// next one.
std::expected<sys::SignReply, AskError> ask_keyholder(const sys::Fd& socket, const sys::SignRequest& request,
                                                      std::chrono::milliseconds limit);

}  // namespace hooksmtpd::tls
