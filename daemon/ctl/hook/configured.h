// What the configuration says of a hook, for those who try it out without a daemon.

#pragma once

#include <expected>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "proto/hook/event.h"

namespace hooksmtpd::ctl {

struct ConfiguredHook {
  std::vector<hook::Event> events;  // what it is asked
  std::string options;              // a JSON object, as hello has it
  // What a line that it writes to standard error has to do with its sandbox, as the daemon's log would say.
  std::function<std::optional<std::string>(std::string_view line)> explain;
};

// `file`: the configuration; empty: the default one, where there is one. An error is a sentence, or several lines.
std::expected<ConfiguredHook, std::string> configured_hook(const std::string& name, const std::string& file);

}  // namespace hooksmtpd::ctl
