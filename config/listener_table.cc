#include <fmt/format.h>

#include <algorithm>

#include "config/address.h"
#include "config/extensions.h"
#include "config/suggest.h"
#include "config/tables.h"

namespace hooksmtpd::config {
namespace {

// "0660"
Parsed<std::uint32_t> parse_mode(std::string_view text) {
  std::uint32_t mode = 0;
  for (const char c : text)
    mode = c >= '0' && c <= '7' && mode <= 0777 ? mode * 8 + static_cast<unsigned>(c - '0') : ~0u;
  if ((text.size() == 3 || text.size() == 4) && mode <= 0777) return mode;
  return std::unexpected(fmt::format("must be a mode such as \"0660\", not {}", in_quotes(text)));
}

// `key` of the section is setting `name`, for this listener alone.
void read_own(Section& section, std::string_view key, const Setting& setting, Listener& listener) {
  const auto text = section.scalar(key, setting.spelling);
  if (!text) return;
  Config trial;
  if (const auto done = setting.assign(trial, *text); !done) {
    section.problem(*section.find(key), key, done.error());
  } else {
    listener.own[std::string(setting.name)] = setting.get(trial);
  }
}

// [listener.limits] and so on: what stands in [limits], as far as a listener can have its own.
void read_group(Section& listener_section, std::string_view group, Listener& listener) {
  const toml::table* table = listener_section.subtable(group);
  if (table == nullptr) return;
  Section section(listener_section.page(), *table, listener_section.path_of(group), keys_below(group));
  for (const std::string_view key : keys_below(group)) {
    const toml::node* node = section.find(key);
    if (node == nullptr) continue;
    const Setting* setting = find_setting(fmt::format("{}.{}", group, key));
    if (setting->per_listener) {
      read_own(section, key, *setting, listener);
    } else {
      section.problem(*node, key, fmt::format("is for all listeners: it belongs in [{}]", group));
    }
  }
}

void read_addresses(Section& section, Listener& listener) {
  if (section.find("address") == nullptr) {
    section.page().problem(section.table().source(), fmt::format("{} is missing, as in address = [\"127.0.0.1:25\"]",
                                                                 section.path_of("address")));
  }
  const auto addresses = section.strings("address", "an array of strings such as [\"127.0.0.1:25\"]");
  if (!addresses) return;
  for (const auto& [text, node] : *addresses) {
    const auto address = parse_address(text);
    if (address) {
      listener.address.push_back(to_string(*address));
    } else {
      section.page().problem(node->source(), address.error());
    }
  }
}

// An array whose elements `parse` turns into what the listener keeps; an empty one is as good as none.
template <class T>
std::vector<T> read_list(Section& section, std::string_view key, std::string_view what,
                         Parsed<T> (*parse)(std::string_view)) {
  std::vector<T> list;
  const auto items = section.strings(key, what, Section::Empty::kAllowed);
  if (!items) return list;
  for (const auto& [text, node] : *items) {
    auto value = parse(text);
    if (!value) {
      section.problem(*node, key, value.error());
    } else if (std::ranges::find(list, *value) != list.end()) {
      section.problem(*node, key, fmt::format("names {} twice", in_quotes(text)));
    } else {
      list.push_back(std::move(*value));
    }
  }
  return list;
}

Parsed<std::string> any_word(std::string_view text) { return std::string(text); }

}  // namespace

std::string read_name(Page& page, const toml::table& table, std::string_view what, std::string_view absent) {
  constexpr std::size_t kLongest = 32;
  const toml::node* node = table.get("name");
  if (node == nullptr) {
    if (absent.empty()) page.problem(table.source(), fmt::format("{0}.name is missing, as in name = \"my-{0}\"", what));
    return std::string(absent);
  }
  const auto text = scalar_text(*node, Spelling::kText);
  if (!text) {
    page.problem(node->source(), fmt::format("{}.name {}", what, text.error()));
    return {};
  }
  const bool letters =
      std::ranges::all_of(*text, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-'; });
  if (letters && !text->empty() && text->size() <= kLongest && text->front() != '-') return *text;
  page.problem(node->source(), fmt::format("{}.name must be 1 to {} of a-z, 0-9 and -, and not begin with -: {}", what,
                                           kLongest, in_quotes(*text)));
  return {};
}

Listener read_listener(Page& page, const toml::table& table) {
  Listener listener;
  listener.source = page.at(table.source());
  listener.name = read_name(page, table, "listener", listener.name);
  Section section(page, table, listener.name.empty() ? "listener" : "listener." + listener.name, kListenerKeys);

  read_addresses(section, listener);
  listener.protocol =
      section.value("protocol", Spelling::kText, parse_listener_protocol).value_or(ListenerProtocol::kSmtp);
  listener.socket_mode = section.value("socket_mode", Spelling::kText, parse_mode).value_or(listener.socket_mode);
  read_own(section, "tls", *find_setting("tls.mode"), listener);
  read_own(section, "hostname", *find_setting("hostname"), listener);
  read_own(section, "banner", *find_setting("banner"), listener);
  for (const std::string_view group : {"limits", "timeouts", "auth"}) read_group(section, group, listener);
  if (section.find("hooks") != nullptr) {
    listener.hooks = read_list(section, "hooks", "an array of names of hooks", any_word);
  }
  listener.hide = read_list(section, "hide", "an array of EHLO keywords", parse_hidden_extension);
  listener.add = read_list(section, "add", "an array of EHLO lines", parse_added_extension);
  listener.lenient = section.value("lenient", Spelling::kBoolean, parse_boolean).value_or(false);
  listener.proxy_protocol = read_list(section, "proxy_protocol", "an array of networks", parse_network);
  listener.xclient = read_list(section, "xclient", "an array of networks", parse_network);
  return listener;
}

}  // namespace hooksmtpd::config
