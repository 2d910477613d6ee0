// What `status` and `ready` answer.

#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string_view>

#include "daemon/launcher/service.h"

namespace hooksmtpd::launcher {

// `worker_json` is what the worker counts; empty: it was not asked or did not answer. Of it, only numbers are taken.
nlohmann::json status_of(const Service& service, std::string_view worker_json, Loop::Time now);

// {"ok":true} when the worker serves and every hook is ready; else what is missing.
nlohmann::json readiness_of(const Service& service);

}  // namespace hooksmtpd::launcher
