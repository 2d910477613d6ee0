#include "daemon/ctl/hook/configured.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>

#include "config/denial.h"
#include "config/load.h"
#include "config/suggest.h"
#include "daemon/ctl/hook/places.h"

namespace hooksmtpd::ctl {
namespace {

// As the daemon's program sees it, but for the host name, which no hook's configuration depends on.
config::Machine machine() {
  const std::filesystem::path hooks = sdk_folder().parent_path();
  config::Machine machine{.hostname = "localhost",
                          .uid = ::geteuid(),
                          .environment = {},
                          .hooks = hooks,
                          .in_build_tree = std::filesystem::is_directory(hooks / "maildir")};  // installed, it is a file
  for (char** one = environ; *one != nullptr; ++one) {
    const std::string_view variable(*one);
    const std::size_t equals = variable.find('=');
    if (equals != std::string_view::npos) {
      machine.environment.emplace(variable.substr(0, equals), variable.substr(equals + 1));
    }
  }
  return machine;
}

}  // namespace

std::expected<ConfiguredHook, std::string> configured_hook(const std::string& name, const std::string& file) try {
  config::Request request{.file = {}, .listen = {}, .set = {}, .machine = machine()};
  if (!file.empty()) request.file = std::filesystem::absolute(file);
  const auto loaded = config::load(request);
  if (!loaded) return std::unexpected(config::to_string(loaded.error()));
  const auto& hooks = loaded->config.hooks;
  const auto hook = std::ranges::find(hooks, name, &config::Hook::name);
  if (hook == hooks.end()) {
    std::vector<std::string_view> names;
    for (const config::Hook& one : hooks) names.push_back(one.name);
    return std::unexpected(fmt::format("no hook is named \"{}\"{}", name, config::did_you_mean(name, names)));
  }
  ConfiguredHook found{.events = {}, .options = hook->options, .explain = {}};
  found.explain = [config = loaded->config, name](std::string_view line) {
    return config::explain_denial(line, config, name);
  };
  for (std::size_t i = 0; i < config::kHookEvents; ++i) {
    if (hook->events[i].subscribed) found.events.push_back(hook::Event{static_cast<std::uint8_t>(i + 1)});
  }
  return found;
} catch (const std::system_error& error) {
  return std::unexpected(error.what());
}

}  // namespace hooksmtpd::ctl
