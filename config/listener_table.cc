#include <fmt/format.h>

#include <algorithm>

#include "config/address.h"
#include "config/tables.h"

namespace hooksmtpd::config {

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

  if (section.find("address") == nullptr) {
    page.problem(table.source(),
                 fmt::format("{} is missing, as in address = [\"127.0.0.1:25\"]", section.path_of("address")));
  }
  const auto addresses = section.strings("address", "an array of strings such as [\"127.0.0.1:25\"]");
  if (!addresses) return listener;
  for (const auto& [text, node] : *addresses) {
    const auto address = parse_address(text);
    if (address) {
      listener.address.push_back(to_string(*address));
    } else {
      page.problem(node->source(), address.error());
    }
  }
  return listener;
}

}  // namespace hooksmtpd::config
