// The ESMTP parameters of MAIL that we offer: SIZE (RFC 1870 §6) and BODY (RFC 6152 §2).

#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "proto/mail/envelope.h"

namespace hooksmtpd::smtp {

// The reply to parameters that cannot be had; nullopt: they can. `message_size` in octets.
std::optional<std::string_view> judge_mail_parameters(const mail::Parameters& params, std::uint64_t message_size);

}  // namespace hooksmtpd::smtp
