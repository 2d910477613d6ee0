#include "config/load.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>

#include "config/address.h"
#include "config/advice.h"
#include "config/check.h"
#include "config/file_store.h"
#include "config/files.h"
#include "config/named_files.h"
#include "config/ready_made.h"
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

  std::expected<Loaded, std::vector<Problem>> finish(FileStore& store) &&;

 private:
  void problem(Severity severity, Source where, std::string text) {
    problems_.push_back({.severity = severity, .where = std::move(where), .text = std::move(text)});
  }
  void read(const FileText& file);
  void read_settings(Section& section);
  void read_tables(Section& top, std::string_view key, auto read_one);
  void set(const Setting& setting, std::string_view text, const Source& where, Origin origin);

  const Machine& machine_;
  Loaded loaded_;
  std::vector<Certificate> sni_;  // beside the first, which is made of settings
  std::vector<Problem> problems_;
};

// The tables of this level that there may be several of.
std::vector<std::string_view> tables_below(std::string_view path) {
  if (path.empty()) return {"listener", "hook"};
  if (path == "tls") return {"sni"};
  return {};
}

std::vector<std::string_view> known_below(std::string_view path) {
  std::vector<std::string_view> keys = keys_below(path);
  std::ranges::copy(tables_below(path), std::back_inserter(keys));
  return keys;
}

bool is_error(const Problem& problem) { return problem.severity == Severity::kError; }

// The last steps for whatever may have changed: what is named is read, and the whole is looked at.
std::expected<Loaded, std::vector<Problem>> settle(Loaded loaded, std::vector<Problem> problems, FileStore& store,
                                                   std::string_view changed = {}) {
  const bool values_are_right = std::ranges::none_of(problems, is_error);
  NamedFiles named = read_named_files(loaded.config, loaded.origins, store, changed);
  std::ranges::move(named.read, std::back_inserter(loaded.read));
  std::ranges::move(named.problems, std::back_inserter(problems));
  std::ranges::move(check_names(loaded.config), std::back_inserter(problems));
  if (values_are_right) std::ranges::move(check_parts(loaded.config, loaded.origins), std::back_inserter(problems));
  if (std::ranges::any_of(problems, is_error)) {
    std::erase_if(problems, std::not_fn(is_error));
    return std::unexpected(std::move(problems));
  }
  loaded.warnings = std::move(problems);
  std::ranges::move(advice(loaded.config), std::back_inserter(loaded.warnings));
  return loaded;
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

  Section top(page, tree, "", known_below(""));
  read_settings(top);
  read_tables(top, "listener", [&](const toml::table& table) {
    Listener listener = read_listener(page, table);
    loaded_.origins["listener." + listener.name] = {Origin::Kind::kFile, listener.source};
    loaded_.config.listeners.push_back(std::move(listener));
  });
  read_tables(top, "hook", [&](const toml::table& table) {
    Hook hook = read_hook(page, table, machine_);
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
    } else if (!keys_below(path).empty()) {
      if (const toml::table* table = section.subtable(key.str())) {
        Section inner(page, *table, path, known_below(path));
        read_settings(inner);
      }
    } else if (path == "tls.sni") {
      read_tables(section, "sni", [&](const toml::table& table) { sni_.push_back(read_certificate(page, table)); });
    }
  }
}

void Draft::read_tables(Section& top, std::string_view key, auto read_one) {
  const toml::node* node = top.find(key);
  if (node == nullptr) return;
  const auto* array = node->as_array();
  if (array == nullptr) {
    return top.problem(
        *node, key, fmt::format("must be written [[{}]], in double brackets: there may be several", top.path_of(key)));
  }
  for (const toml::node& element : *array) {
    if (const auto* table = element.as_table()) {
      read_one(*table);
    } else {
      top.problem(element, key,
                  fmt::format("must be written as [[{}]] tables, not {}", top.path_of(key), type_name(element)));
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

std::expected<Loaded, std::vector<Problem>> Draft::finish(FileStore& store) && {
  Config& config = loaded_.config;
  if (config.listeners.empty()) config.listeners = {default_listener(machine_)};
  for (const Listener& listener : config.listeners) loaded_.origins.try_emplace("listener." + listener.name);
  for (const Hook& hook : config.hooks) loaded_.origins.try_emplace("hook." + hook.name);
  provide_mime_hook(config, &machine_);
  if (!sni_.empty() && config.tls.certificates.empty()) config.tls.certificates.emplace_back();
  std::ranges::move(sni_, std::back_inserter(config.tls.certificates));

  if (!is_hostname(machine_.hostname) && loaded_.origins["hostname"].kind == Origin::Kind::kDefault) {
    problem(Severity::kWarning, {},
            fmt::format("{} is not a host name that SMTP allows: set hostname, \"localhost\" is used",
                        in_quotes(machine_.hostname)));
  }
  return settle(std::move(loaded_), std::move(problems_), store);
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

Source place_of(const Origins& origins, std::string_view key) {
  const auto found = origins.find(std::string(key));
  if (found == origins.end()) return {};
  switch (found->second.kind) {
    case Origin::Kind::kFile:
      return found->second.source;
    case Origin::Kind::kEnvironment:
      return {.file = environment_name(*find_setting(key))};
    case Origin::Kind::kCommandLine:
      return {.file = "--set"};
    case Origin::Kind::kDefault:
    case Origin::Kind::kControl:
      break;
  }
  return {};
}

namespace {

std::expected<Loaded, std::vector<Problem>> load_with(std::span<const FileText> files, const Request& request,
                                                      FileStore& store) {
  Draft draft(request.machine);
  draft.read(files);
  draft.environment();
  draft.command_line(request);
  return std::move(draft).finish(store);
}

}  // namespace

std::expected<Loaded, std::vector<Problem>> load_texts(std::span<const FileText> files, const Request& request,
                                                       std::span<const FileText> named) {
  Texts store(named);
  return load_with(files, request, store);
}

std::expected<Loaded, std::vector<Problem>> load(const Request& request) {
  std::vector<Problem> problems;
  const std::vector<FileText> files = read_files(request, problems);
  Disk store;
  auto loaded = load_with(files, request, store);
  if (problems.empty()) return loaded;
  // A file that could not be read is no reason to keep quiet about the others.
  if (!loaded) std::ranges::move(loaded.error(), std::back_inserter(problems));
  return std::unexpected(std::move(problems));
}

std::expected<Loaded, std::vector<Problem>> with_setting(const Loaded& running, const Setting& setting,
                                                         std::string_view value) {
  Loaded wanted = running;
  if (const auto done = setting.set(wanted.config, value); !done) {
    std::vector<Problem> problems;
    problems.emplace_back().text = done.error();
    return std::unexpected(std::move(problems));
  }
  provide_mime_hook(wanted.config, nullptr);
  wanted.origins[std::string(setting.name)] = {.kind = Origin::Kind::kControl, .source = {}};
  Disk store;
  return settle(std::move(wanted), {}, store, setting.name);
}

}  // namespace hooksmtpd::config
