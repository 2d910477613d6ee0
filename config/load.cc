#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include "config/address.h"
#include "config/advice.h"
#include "config/files.h"
#include "config/suggest.h"
#include "config/tables.h"

namespace hooksmtpd::config {
namespace {

// The Config as it grows, layer upon layer.
class Draft {
 public:
  explicit Draft(const Machine& machine) : machine_(machine) {
    loaded_.config = defaults(machine);
    for (const Setting& setting : settings()) loaded_.origins[std::string(setting.name)] = {};
  }

  void read(std::span<const FileText> files) {
    if (files.empty()) return;
    loaded_.config.listeners.clear();
    loaded_.config.hooks.clear();
    for (const FileText& file : files) read(file);
  }
  void environment();
  void command_line(const Request& request);
  void check();

  std::expected<Loaded, std::vector<Problem>> finish() &&;

 private:
  void problem(Severity severity, Source where, std::string text) {
    problems_.push_back({.severity = severity, .where = std::move(where), .text = std::move(text)});
  }
  void read(const FileText& file);
  void read_settings(Section& section);
  void read_tables(Section& top, std::string_view key, auto read_one);
  void set(const Setting& setting, std::string_view text, const Source& where, Origin origin);
  void check_names(const auto& things, std::string_view what);
  void check_addresses();

  const Machine& machine_;
  Loaded loaded_;
  std::vector<Problem> problems_;
};

// Keys of one level: "" has "banner" and "limits", "limits" has "recipients".
std::vector<std::string_view> keys_below(std::string_view path) {
  std::vector<std::string_view> keys;
  for (const Setting& setting : settings()) {
    std::string_view key = setting.name;
    if (!path.empty()) {
      if (!key.starts_with(fmt::format("{}.", path))) continue;
      key.remove_prefix(path.size() + 1);
    }
    key = key.substr(0, key.find('.'));
    if (keys.empty() || keys.back() != key) keys.push_back(key);
  }
  if (path.empty()) keys.insert(keys.end(), {"listener", "hook"});
  return keys;
}

void Draft::set(const Setting& setting, std::string_view text, const Source& where, Origin origin) {
  if (const auto done = setting.set(loaded_.config, text); !done) {
    problem(Severity::kError, where, done.error());
  } else {
    loaded_.origins[std::string(setting.name)] = std::move(origin);
  }
}

void Draft::read(const FileText& file) {
  loaded_.files.push_back(file.name);
  Page page(file.name);
  toml::table tree;
  try {
    tree = toml::parse(file.text, file.name.string());
  } catch (const toml::parse_error& error) {
    page.problem(error.source(), fmt::format("not valid TOML: {}", error.description()));
    std::ranges::move(page.take_problems(), std::back_inserter(problems_));
    return;
  }

  Section top(page, tree, "", keys_below(""));
  read_settings(top);
  read_tables(top, "listener", [&](const toml::table& table) {
    Listener listener = read_listener(page, table);
    loaded_.origins["listener." + listener.name] = {Origin::Kind::kFile, listener.source};
    loaded_.config.listeners.push_back(std::move(listener));
  });
  read_tables(top, "hook", [&](const toml::table& table) {
    Hook hook = read_hook(page, table);
    loaded_.origins["hook." + hook.name] = {Origin::Kind::kFile, hook.source};
    loaded_.config.hooks.push_back(std::move(hook));
  });
  std::ranges::move(page.take_problems(), std::back_inserter(problems_));
}

void Draft::read_settings(Section& section) {
  Page& page = section.page();
  for (const auto& [key, node] : section.table()) {
    const std::string path = section.path_of(key.str());
    const auto setting = std::ranges::find(settings(), path, &Setting::name);
    if (setting != settings().end()) {
      if (const auto text = section.scalar(key.str(), setting->spelling)) {
        const Source where = page.at(node.source());
        if (const auto done = setting->set(loaded_.config, *text); !done) {
          page.problem(node.source(), done.error());
        } else {
          loaded_.origins[path] = {Origin::Kind::kFile, where};
        }
      }
    } else if (const auto below = keys_below(path); !below.empty()) {
      if (const toml::table* table = section.subtable(key.str())) {
        Section inner(page, *table, path, below);
        read_settings(inner);
      }
    }
  }
}

void Draft::read_tables(Section& top, std::string_view key, auto read_one) {
  const toml::node* node = top.find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) {
    return top.problem(*node, key,
                       fmt::format("must be written [[{}]], in double brackets: there may be several", key));
  }
  for (const toml::node& element : *array) {
    if (const auto* table = element.as_table()) {
      read_one(*table);
    } else {
      top.problem(element, key, fmt::format("must be written as [[{}]] tables, not {}", key, type_name(element)));
    }
  }
}

void Draft::environment() {
  constexpr std::string_view kPrefix = "HOOKSMTPD_";
  std::vector<std::string> names;
  for (const Setting& setting : settings()) names.push_back(environment_name(setting));
  const std::vector<std::string_view> known(names.begin(), names.end());

  for (const auto& [name, value] : machine_.environment) {
    if (!name.starts_with(kPrefix)) continue;
    const Source where{.file = name};
    if (const auto found = std::ranges::find(names, name); found != names.end()) {
      set(settings()[static_cast<std::size_t>(found - names.begin())], value, where, {Origin::Kind::kEnvironment, {}});
    } else {
      problem(Severity::kWarning, where, fmt::format("no setting has this name{}", did_you_mean(name, known)));
    }
  }
}

void Draft::command_line(const Request& request) {
  for (const std::string& assignment : request.set) {
    const Source where{.file = "--set"};
    const std::size_t equals = assignment.find('=');
    const std::string_view name = std::string_view(assignment).substr(0, equals);
    if (equals == std::string::npos) {
      problem(Severity::kError, where, fmt::format("{} is not KEY=VALUE, as in banner=mail", in_quotes(assignment)));
    } else if (const Setting* setting = find_setting(name)) {
      set(*setting, std::string_view(assignment).substr(equals + 1), where, {Origin::Kind::kCommandLine, {}});
    } else {
      problem(Severity::kError, where, unknown_setting(name));
    }
  }

  if (request.listen.empty()) return;
  Listener listener{.name = "smtp", .address = {}, .source = {.file = "--listen"}};
  for (const std::string& text : request.listen) {
    if (const auto address = parse_address(text)) {
      listener.address.push_back(to_string(*address));
    } else {
      problem(Severity::kError, listener.source, address.error());
    }
  }
  std::erase_if(loaded_.origins, [](const auto& origin) { return origin.first.starts_with("listener."); });
  loaded_.origins["listener.smtp"] = {Origin::Kind::kCommandLine, {}};
  loaded_.config.listeners = {std::move(listener)};
}

void Draft::check_names(const auto& things, std::string_view what) {
  for (auto thing = things.begin(); thing != things.end(); ++thing) {
    const auto first = std::ranges::find(things.begin(), thing, thing->name, [](const auto& t) { return t.name; });
    if (first == thing || thing->name.empty()) continue;
    problem(Severity::kError, thing->source,
            fmt::format("{} '{}' is defined twice, first at {}", what, thing->name,
                        to_string(Origin{Origin::Kind::kFile, first->source})));
  }
}

// Port 0 may stand there often: the kernel picks another one each time.
void Draft::check_addresses() {
  std::map<std::string, std::string> users;
  for (const Listener& listener : loaded_.config.listeners) {
    for (const std::string& address : listener.address) {
      if (parse_address(address)->port == 0) continue;
      const auto [user, is_new] = users.emplace(address, listener.name);
      if (is_new) continue;
      problem(Severity::kError, listener.source,
              fmt::format("listener.{}.address {} is already used by listener '{}'", listener.name, in_quotes(address),
                          user->second));
    }
  }
}

// What no single value shows.
void Draft::check() {
  Config& config = loaded_.config;
  if (config.listeners.empty()) config.listeners = {default_listener(machine_)};
  for (const Listener& listener : config.listeners) loaded_.origins.try_emplace("listener." + listener.name);
  for (const Hook& hook : config.hooks) loaded_.origins.try_emplace("hook." + hook.name);

  if (!is_hostname(machine_.hostname) && loaded_.origins["hostname"].kind == Origin::Kind::kDefault) {
    problem(Severity::kWarning, {},
            fmt::format("{} is not a host name that SMTP allows: set hostname, \"localhost\" is used",
                        in_quotes(machine_.hostname)));
  }
  check_names(config.listeners, "listener");
  check_names(config.hooks, "hook");
  check_addresses();
  const std::size_t numbers = std::size_t{config.hook_uids.second} - config.hook_uids.first + 1;
  if (config.hooks.size() > numbers) {
    problem(Severity::kError, config.hooks[numbers].source,
            fmt::format("hook_uids has room for {} of {} hooks: widen the range", numbers, config.hooks.size()));
  }
}

std::expected<Loaded, std::vector<Problem>> Draft::finish() && {
  const auto is_error = [](const Problem& p) { return p.severity == Severity::kError; };
  if (std::ranges::any_of(problems_, is_error)) {
    std::erase_if(problems_, std::not_fn(is_error));
    return std::unexpected(std::move(problems_));
  }
  loaded_.warnings = std::move(problems_);
  std::ranges::move(advice(loaded_.config), std::back_inserter(loaded_.warnings));
  return std::move(loaded_);
}

std::string place(const Source& source) {
  return source.line == 0 ? source.file : fmt::format("{}:{}:{}", source.file, source.line, source.column);
}

}  // namespace

std::string to_string(const Problem& problem) {
  constexpr std::array<std::string_view, 3> kWords{"", "warning: ", "note: "};
  const std::string where = place(problem.where);
  return fmt::format("{}{}{}{}", where, where.empty() ? "" : ": ", kWords[static_cast<std::size_t>(problem.severity)],
                     problem.text);
}

std::string to_string(std::span<const Problem> problems) {
  std::string text;
  for (const Problem& problem : problems) {
    if (!text.empty()) text += '\n';
    text += to_string(problem);
  }
  return text;
}

std::string to_string(const Origin& origin) {
  switch (origin.kind) {
    case Origin::Kind::kDefault:
      return "default";
    case Origin::Kind::kFile:
      return place(origin.source);
    case Origin::Kind::kEnvironment:
      return "environment";
    case Origin::Kind::kCommandLine:
      return "command line";
    case Origin::Kind::kControl:
      return "configure";
  }
  return {};
}

std::expected<Loaded, std::vector<Problem>> load_texts(std::span<const FileText> files, const Request& request) {
  Draft draft(request.machine);
  draft.read(files);
  draft.environment();
  draft.command_line(request);
  draft.check();
  return std::move(draft).finish();
}

std::expected<Loaded, std::vector<Problem>> load(const Request& request) {
  std::vector<Problem> problems;
  const std::vector<FileText> files = read_files(request, problems);
  if (problems.empty()) return load_texts(files, request);
  // A file that could not be read is no reason to keep quiet about the others.
  if (auto others = load_texts(files, request); !others) {
    std::ranges::move(others.error(), std::back_inserter(problems));
  }
  return std::unexpected(std::move(problems));
}

}  // namespace hooksmtpd::config
