#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "config/address.h"
#include "config/ready_made.h"
#include "config/suggest.h"
#include "config/tables.h"

namespace hooksmtpd::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;

constexpr std::size_t kLongestCommand = 32 * 1024;  // all arguments together; they travel in one frame
constexpr std::size_t kMostInstances = 64;
constexpr std::uint64_t kLeastMemory = 4u << 20, kMostMemory = 1ull << 50;  // octets; a shell needs some
constexpr std::uint64_t kMostProcesses = 1u << 22;                          // as the kernel's pid_max
constexpr std::uint64_t kMostCpu = 100 * 1024;
constexpr std::uint64_t kLeastFiles = 16, kMostFiles = 1u << 20;

constexpr auto kAllEvents = [] {
  std::array<HookEvent, kHookEvents> events{};
  for (std::size_t i = 0; i < kHookEvents; ++i) events[i] = static_cast<HookEvent>(i);
  return events;
}();

std::vector<std::string_view> event_names() {
  std::vector<std::string_view> names;
  for (const HookEvent event : kAllEvents) names.push_back(to_string(event));
  return names;
}

// Somebody wrote command = "prog -x": show what it looks like as an array.
std::string as_array(const std::string& shell_string) {
  std::istringstream words(shell_string);
  std::string arguments;
  for (std::string word; words >> word;) {
    arguments += fmt::format("{}{}", arguments.empty() ? "" : ", ", in_quotes(word));
  }
  return fmt::format("[{}]", arguments);
}

// The ready-made hook that `use` names; null: it names none.
const ReadyMade* read_use(Section& section) {
  const auto known = [](std::string_view text) -> Parsed<std::string> {
    if (find_ready_made(text) != nullptr) return std::string(text);
    std::vector<std::string_view> names;
    for (const ReadyMade& one : ready_made_hooks()) names.push_back(one.name);
    return std::unexpected(fmt::format("names no hook that comes with hooksmtpd{}", did_you_mean(text, names)));
  };
  const auto name = section.value("use", Spelling::kText, known);
  return name ? find_ready_made(*name) : nullptr;
}

std::vector<std::string> read_command(Section& section) {
  const toml::node* node = section.find("command");
  if (node == nullptr) {
    section.page().problem(section.table().source(),
                           fmt::format("{} is missing, as in command = [\"/usr/bin/python3\", \"./policy.py\"]",
                                       section.path_of("command")));
    return {};
  }
  if (const auto* text = node->as_string()) {
    section.problem(*node, "command",
                    fmt::format("is an argument vector, never a shell string: write command = {}", as_array(**text)));
    return {};
  }
  const auto items = section.strings("command", "an array of strings");
  if (!items) return {};

  std::vector<std::string> command;
  std::size_t length = 0;
  for (const auto& [text, at] : *items) {
    if (text.find('\0') != std::string::npos) section.problem(*at, "command", "must not contain a NUL");
    length += text.size() + 1;
    command.push_back(text);
  }
  if (length > kLongestCommand) {
    section.problem(*node, "command", fmt::format("must be at most {} octets long in all", kLongestCommand));
  }
  const toml::node& program = *items->front().node;
  if (command[0].find('/') == std::string::npos) {
    section.problem(
        program, "command[0]",
        fmt::format("must be an absolute path, not {0}: `command -v {1}` prints it; \"./{1}\" is one beside "
                    "this file",
                    in_quotes(command[0]), printable(command[0])));
  } else if (const auto path = section.page().resolve(command[0])) {
    command[0] = path->string();
  } else {
    section.problem(program, "command[0]", path.error());
  }
  return command;
}

// It may have no events at all: whoever comes to its sockets asks it.
bool listens(Section& section) {
  const toml::node* const sandbox = section.find("sandbox");
  return sandbox != nullptr && sandbox->is_table() && sandbox->as_table()->contains("listen");
}

void read_events(Section& section, Hook& hook) {
  if (section.find("events") == nullptr) {
    section.page().problem(section.table().source(),
                           fmt::format("{} is missing, as in events = [\"deliver\"]", section.path_of("events")));
  }
  const auto empty = listens(section) ? Section::Empty::kAllowed : Section::Empty::kRefused;
  const auto items = section.strings("events", "an array of event names", empty);
  if (!items) return;
  if (items->empty()) hook.stores = false;  // what a ready-made one says of itself as one that is asked
  for (const auto& [name, node] : *items) {
    const auto event = parse_hook_event(name);
    if (!event) {
      section.page().problem(node->source(),
                             fmt::format("unknown event '{}'{}", printable(name), did_you_mean(name, event_names())));
    } else if (std::exchange(hook.on(*event).subscribed, true)) {
      section.problem(*node, "events", fmt::format("names '{}' twice", name));
    }
  }
}

// `key = VALUE` speaks of every event, `key = { default = VALUE, deliver = VALUE }` of each by itself.
// `store(event, value, node)` gets what was found for each event of the hook.
template <class Parse, class Store>
void read_per_event(Section& section, const Hook& hook, std::string_view key, Spelling spelling, Parse parse,
                    Store store) {
  const auto store_all = [&](const auto& value, const toml::node& node) {
    for (const HookEvent event : kAllEvents) {
      if (hook.on(event).subscribed) store(event, value, node);
    }
  };
  const toml::node* node = section.find(key);
  if (node == nullptr) return;
  if (!node->is_table()) {
    if (const auto value = section.value(key, spelling, parse)) store_all(*value, *node);
    return;
  }

  std::vector<std::string_view> known{"default"};
  std::ranges::copy(event_names(), std::back_inserter(known));
  Section by_event(section.page(), *node->as_table(), section.path_of(key), known);
  if (const auto value = by_event.value("default", spelling, parse)) store_all(*value, *by_event.find("default"));
  for (const HookEvent event : kAllEvents) {
    const auto value = by_event.value(to_string(event), spelling, parse);
    if (!value) continue;
    const toml::node& at = *by_event.find(to_string(event));
    store(event, *value, at);
    if (!hook.on(event).subscribed) {
      by_event.problem(at, to_string(event), "has no effect: the hook's events do not name it", Severity::kWarning);
    }
  }
}

void read_timeouts(Section& section, Hook& hook) {
  const auto parse = [](std::string_view text) { return parse_duration(text, Milliseconds(1), hours(1)); };
  read_per_event(section, hook, "timeout", Spelling::kDuration, parse,
                 [&](HookEvent event, Milliseconds value, const toml::node&) { hook.on(event).timeout = value; });
}

// "accept" on deliver would acknowledge mail that nobody has (promise P3), on auth it would let in whoever comes.
void read_on_failure(Section& section, Hook& hook) {
  read_per_event(section, hook, "on_failure", Spelling::kText, parse_on_failure,
                 [&](HookEvent event, OnFailure value, const toml::node& node) {
                   hook.on(event).on_failure = value;
                   const bool is_deliver = event == HookEvent::kDeliver || event == HookEvent::kDeliverMime;
                   if (!(is_deliver || event == HookEvent::kAuth) || value != OnFailure::kAccept) return;
                   // A default that the event's own overrules does no harm.
                   const std::string_view name = to_string(event);
                   const auto* table = section.find("on_failure")->as_table();
                   if (table != nullptr && table->get(name) != nullptr && table->get(name) != &node) return;
                   section.problem(
                       node, "on_failure",
                       fmt::format("must not be \"accept\" for {0}, which would {1}: "
                                   "use {{ default = \"accept\", {0} = \"tempfail\" }}",
                                   name, is_deliver ? "acknowledge mail that nobody has" : "let everybody in"));
                 });
}

std::map<std::string, std::string> read_environment(Section& section) {
  // These tell a hook who it is and where its folder is, and Python not to buffer: it could not work without.
  const auto is_ours = [](std::string_view name) {
    return name == "HOME" || name == "PYTHONUNBUFFERED" || name.starts_with("HOOK_");
  };
  std::map<std::string, std::string> environment;
  const toml::table* table = section.subtable("environment");
  if (table == nullptr) return environment;
  for (const auto& [key, node] : *table) {
    const std::string path = fmt::format("environment.{}", printable(key.str()));
    const bool is_name =
        !key.str().empty() && !(key.str()[0] >= '0' && key.str()[0] <= '9') &&
        std::ranges::all_of(key.str(), [](char c) {
          return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        });
    const auto* value = node.as_string();
    if (!is_name) {
      section.page().problem(key.source(),
                             fmt::format("{} is not a variable's name: use A-Z, 0-9 and _", section.path_of(path)));
    } else if (is_ours(key.str())) {
      section.page().problem(key.source(), fmt::format("{} is set by the daemon", section.path_of(path)));
    } else if (value == nullptr) {
      section.problem(node, path, fmt::format("must be a string, not {}", type_name(node)));
    } else if (value->get().find('\0') != std::string::npos) {
      section.problem(node, path, "must not contain a NUL");
    } else {
      environment.emplace(key.str(), value->get());
    }
  }
  return environment;
}

Parsed<NetworkAccess> parse_network_access(std::string_view text) {
  if (text == "none") return NetworkAccess::kNone;
  if (text == "loopback") return NetworkAccess::kLoopback;
  if (text == "host") return NetworkAccess::kHost;
  return std::unexpected(fmt::format("must be \"none\", \"loopback\" or \"host\", not {}", in_quotes(text)));
}

void read_listen(Section& section, Sandbox& sandbox) {
  if (section.find("listen") == nullptr) return;
  const auto addresses = section.strings("listen", "an array of strings such as [\"127.0.0.1:8025\"]");
  if (!addresses) return;
  sandbox.listen.clear();
  for (const auto& [text, node] : *addresses) {
    if (const auto address = parse_address(text)) {
      sandbox.listen.push_back(to_string(*address));
    } else {
      section.problem(*node, "listen", address.error());
    }
  }
}

// "none", which is 0, or what `parse` takes.
template <class Parse>
Parsed<std::uint64_t> none_or(std::string_view text, Parse parse) {
  return text == "none" ? Parsed<std::uint64_t>(0) : parse(text);
}

Parsed<std::uint64_t> parse_memory(std::string_view text) {
  return none_or(text, [](std::string_view size) { return parse_size(size, kLeastMemory, kMostMemory); });
}

Parsed<std::uint64_t> parse_cpu(std::string_view text) {
  return none_or(text, [](std::string_view percent) -> Parsed<std::uint64_t> {
    if (!percent.ends_with('%')) {
      return std::unexpected(
          fmt::format("must be percent of one core, as \"50%\", or \"none\", not {}", in_quotes(percent)));
    }
    return parse_number(percent.substr(0, percent.size() - 1), 1, kMostCpu);
  });
}

void read_limits(Section& section, Sandbox& sandbox) {
  const auto processes = [](std::string_view text) { return parse_number(text, 1, kMostProcesses); };
  const auto files = [](std::string_view text) { return parse_number(text, kLeastFiles, kMostFiles); };
  const auto small = [](std::optional<std::uint64_t> number, std::uint32_t otherwise) {
    return number ? static_cast<std::uint32_t>(*number) : otherwise;
  };
  sandbox.memory = section.value("memory", Spelling::kSize, parse_memory).value_or(sandbox.memory);
  sandbox.processes = small(section.value("processes", Spelling::kInteger, processes), sandbox.processes);
  sandbox.cpu = small(section.value("cpu", Spelling::kText, parse_cpu), sandbox.cpu);
  sandbox.files = small(section.value("files", Spelling::kInteger, files), sandbox.files);
}

// `read` or `write`.
std::vector<std::filesystem::path> read_folders(Section& section, std::string_view key) {
  std::vector<std::filesystem::path> folders;
  const auto items = section.strings(key, "an array of absolute paths");
  if (!items) return folders;
  for (const auto& [name, node] : *items) {
    const auto folder = section.page().resolve(name);
    if (!folder) {
      section.problem(*node, key, folder.error());
    } else if (!folder->has_relative_path()) {
      section.problem(*node, key, "must not be \"/\": name the folders that the hook needs");
    } else {
      folders.push_back(*folder);
    }
  }
  return folders;
}

Sandbox read_sandbox(Page& page, const toml::table& table, std::string path, Sandbox sandbox) {
  Section section(page, table, std::move(path), kSandboxKeys);
  sandbox.network = section.value("network", Spelling::kText, parse_network_access).value_or(sandbox.network);
  const auto is_user = [](std::string_view name) -> Parsed<std::string> {
    if (name == "root" || name == "0") return std::unexpected("must not be root: no hook ever runs as root");
    const bool good = !name.empty() && name.size() <= 32 && !(name[0] >= '0' && name[0] <= '9') && name[0] != '-' &&
                      name.find_first_of(std::string_view(" \t\r\n:/\0", 7)) == std::string_view::npos;
    if (good) return std::string(name);
    return std::unexpected(fmt::format("must be the name of a user, not {}", in_quotes(name)));
  };
  sandbox.user = section.value("user", Spelling::kText, is_user).value_or("");

  read_listen(section, sandbox);
  read_limits(section, sandbox);
  sandbox.read = read_folders(section, "read");
  sandbox.write = read_folders(section, "write");
  return sandbox;
}

}  // namespace

Hook read_hook(Page& page, const toml::table& table, const Machine& machine) {
  const auto used = table["use"].value<std::string>();
  const std::string name = read_name(page, table, "hook", used.value_or(""));
  if (name == "incoming" || name == kMimeHook) {
    page.problem(table.get("name")->source(), fmt::format("hook.name must not be \"{}\": {}", name,
                                                          name == kMimeHook ? "that is our own hook behind deliver_mime"
                                                                            : "the spool has a folder of that name"));
  }

  Section section(page, table, name.empty() ? "hook" : "hook." + name, kHookKeys);
  const ReadyMade* const ready_made = read_use(section);
  Hook hook = ready_made != nullptr ? made_ready(*ready_made, machine) : Hook();
  hook.name = name;
  hook.source = page.at(table.source());
  if (ready_made != nullptr) {
    if (const toml::node* command = section.find("command")) {
      section.problem(*command, "command", "goes not with `use`, which names the program");
    }
  } else if (!used) {
    hook.command = read_command(section);
  }
  if (const toml::node* command = section.find("command")) hook.command_source = page.at(command->source());
  if (section.find("events") != nullptr || !used) {
    hook.events = default_events();
    read_events(section, hook);
  }
  read_timeouts(section, hook);
  read_on_failure(section, hook);
  const auto start = [](std::string_view text) { return parse_duration(text, Milliseconds(1), minutes(10)); };
  hook.start_timeout = section.value("start_timeout", Spelling::kDuration, start).value_or(hook.start_timeout);
  const auto count = [](std::string_view text) { return parse_number(text, 1, kMostInstances); };
  hook.instances = static_cast<std::uint32_t>(section.value("instances", Spelling::kInteger, count).value_or(1));
  hook.stores = section.value("stores", Spelling::kBoolean, parse_boolean).value_or(hook.stores);
  hook.line_buffer = section.value("line_buffer", Spelling::kBoolean, parse_boolean).value_or(false);
  hook.reload_on_change = section.value("reload_on_change", Spelling::kBoolean, parse_boolean).value_or(false);
  hook.options = read_options(section, "options");
  hook.environment = read_environment(section);
  if (const toml::table* sandbox = section.subtable("sandbox")) {
    hook.sandbox = read_sandbox(page, *sandbox, section.path_of("sandbox"), std::move(hook.sandbox));
  }
  return hook;
}

}  // namespace hooksmtpd::config
