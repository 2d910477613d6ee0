// The environment of a child: made from the configuration alone. Nothing of ours leaks into it, and nothing that a
// client sends ever gets there (promise P2).

#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace hooksmtpd::launcher {

inline constexpr std::string_view kPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

// "NAME=value": PATH, HOME, HOOK_STATE, HOOK_NAME, HOOK_SDK and with it PYTHONPATH and NODE_PATH, PYTHONUNBUFFERED=1,
// LANG, TZ where we have one, and the hook's own `environment` over all that.
std::vector<std::string> hook_environment(const config::Config& config, const config::Hook& hook,
                                          const std::filesystem::path& sdk);

// Of the worker and the keyholder: PATH, LANG, TZ, and how much freed memory glibc keeps at hand.
std::vector<std::string> worker_environment();

}  // namespace hooksmtpd::launcher
