#include "config/ready_made.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hooksmtpd::config {
namespace {

using enum HookEvent;

bool wants_trees(const Hook& hook) { return hook.on(kDeliverMime).subscribed; }

// Pure ASCII, keys sorted, like the options of any hook.
std::string mime_options(const Config& config) {
  nlohmann::json folders = nlohmann::json::object();
  for (const Hook& hook : config.hooks) {
    if (wants_trees(hook)) folders[hook.name] = mime_folder(config, hook).string();
  }
  const nlohmann::json options{{"depth", config.mime.depth},
                               {"folders", std::move(folders)},
                               {"parts", config.mime.parts},
                               {"size", config.mime.size}};
  return options.dump(-1, ' ', true, nlohmann::json::error_handler_t::replace);
}

}  // namespace

std::span<const ReadyMade> ready_made_hooks() {
  static const std::vector<ReadyMade> hooks{
      {.name = "allowlist", .events = {kValidateHost, kValidateSender, kValidateRecipient}},
      {.name = "faults", .events = {kValidateSender, kValidateRecipient, kData, kDeliver}},
      {.name = "inbox",
       .events = {kDeliver, kDisconnect},
       .stores = true,
       .listen = {"127.0.0.1:8025"},
       .web_page = true,
       .files = 1024},  // for pages that follow it
      {.name = "log",
       .events = {kValidateHost, kHelo, kStarttls, kValidateSender, kValidateRecipient, kData, kDeliver, kReset,
                  kDisconnect}},
      {.name = "maildir", .events = {kDeliver}, .stores = true},
      {.name = "mbox", .events = {kDeliver}, .stores = true},
      {.name = "relay", .events = {kValidateRecipient, kDeliver}, .stores = true, .network = NetworkAccess::kHost},
      {.name = "webhook", .events = {kDeliver}, .stores = true, .network = NetworkAccess::kHost},
  };
  return hooks;
}

const ReadyMade* find_ready_made(std::string_view name) {
  const auto hooks = ready_made_hooks();
  const auto found = std::ranges::find(hooks, name, &ReadyMade::name);
  return found == hooks.end() ? nullptr : &*found;
}

Hook made_ready(const ReadyMade& one, const Machine& machine) {
  Hook hook;
  hook.command = {program_of(machine, one.name).string()};
  hook.stores = one.stores;
  hook.web_page = one.web_page;
  hook.sandbox.network = one.network;
  hook.sandbox.listen = one.listen;
  hook.sandbox.files = one.files;
  for (const HookEvent event : one.events) hook.on(event).subscribed = true;
  return hook;
}

std::filesystem::path program_of(const Machine& machine, std::string_view name) {
  return machine.in_build_tree ? machine.hooks / name / name : machine.hooks / name;
}

void provide_mime_hook(Config& config, const Machine* machine) {
  const auto found = std::ranges::find(config.hooks, kMimeHook, &Hook::name);
  if (std::ranges::none_of(config.hooks, wants_trees)) {
    if (found != config.hooks.end()) config.hooks.erase(found);
    return;
  }
  Hook mime;
  if (found != config.hooks.end()) {
    mime = std::move(*found);
    config.hooks.erase(found);
  } else if (machine != nullptr) {
    mime.name = kMimeHook;
    mime.command = {program_of(*machine, kMimeHook).string()};
    mime.sandbox.memory = 0;  // the parts that it leaves in a tmpfs would count, and [mime] bounds them
  }
  mime.on(kDeliverMime).timeout = config.mime.timeout;
  mime.options = mime_options(config);
  config.hooks.push_back(std::move(mime));  // behind the others: those are numbered in the order of the files
}

std::filesystem::path mime_folder(const Config& config, const Hook& hook) {
  return config.runtime_dir / "mime" / hook.name;
}

}  // namespace hooksmtpd::config
