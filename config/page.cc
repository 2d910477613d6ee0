#include "config/page.h"

#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "config/suggest.h"

namespace hooksmtpd::config {
namespace {

std::string_view expected_of(Spelling spelling) {
  switch (spelling) {
    case Spelling::kText:
      return "a string in quotes";
    case Spelling::kBoolean:
      return "true or false";
    case Spelling::kInteger:
      return "a whole number";
    case Spelling::kSize:
      return "a size such as \"25M\" or a number of octets";
    case Spelling::kDuration:
      return "a duration in quotes, such as \"5s\"";
    case Spelling::kRange:
      return "a range such as \"60800-60863\"";
    case Spelling::kPath:
    case Spelling::kSecretPath:
      return "a path in quotes";
    case Spelling::kWords:
      return "an array of strings";
  }
  return "";
}

bool fits(const toml::node& node, Spelling spelling) {
  switch (spelling) {
    case Spelling::kBoolean:
      return node.is_boolean();
    case Spelling::kInteger:
      return node.is_integer();
    case Spelling::kSize:
      return node.is_integer() || node.is_string();
    case Spelling::kText:
    case Spelling::kDuration:
    case Spelling::kRange:
    case Spelling::kPath:
    case Spelling::kSecretPath:
    case Spelling::kWords:
      return node.is_string();
  }
  return false;
}

}  // namespace

Source Page::at(const toml::source_region& region) const {
  return {.file = file_.string(), .line = region.begin.line, .column = static_cast<std::uint32_t>(region.begin.column)};
}

void Page::problem(const toml::source_region& region, std::string text, Severity severity) {
  problems_.push_back({.severity = severity, .where = at(region), .text = std::move(text)});
}

Parsed<std::filesystem::path> Page::resolve(std::string_view name) const {
  if (name.find('\0') != std::string_view::npos) {
    return std::unexpected(fmt::format("must not contain a NUL: {}", in_quotes(name)));
  }
  if (name.starts_with('~')) {
    return std::unexpected(fmt::format("must name the home folder in full, not {}", in_quotes(name)));
  }
  if (name.find('/') == std::string_view::npos) {
    return std::unexpected(fmt::format("must be an absolute path, not {} (or \"./{}\", beside this file)",
                                       in_quotes(name), printable(name)));
  }
  return (file_.parent_path() / name).lexically_normal();
}

std::vector<Problem> Page::take_problems() {
  std::ranges::stable_sort(problems_, {}, [](const Problem& p) { return std::tuple(p.where.line, p.where.column); });
  return std::move(problems_);
}

Section::Section(Page& page, const toml::table& table, std::string path, std::span<const std::string_view> known)
    : page_(page), table_(table), path_(std::move(path)) {
  for (const auto& [key, node] : table_) {
    if (std::ranges::find(known, key.str()) == known.end()) unknown(key, known);
  }
}

void Section::unknown(const toml::key& key, std::span<const std::string_view> known) {
  const std::string_view word = key.str();
  std::string advice = did_you_mean(word, known);
  if (const std::string_view reason = refused_key(word); !reason.empty()) {
    advice = fmt::format(": {}", reason);
  } else if (const Setting* setting = find_setting(word)) {
    // Under its old name; or a key of the top that slipped below the first [section], where TOML counts it to that.
    std::string_view name = setting->name;
    if (!path_.empty() && name.starts_with(fmt::format("{}.", path_))) name.remove_prefix(path_.size() + 1);
    if (path_.starts_with("listener") && name == "tls.mode") name = "tls";
    advice = path_.empty() || setting->name != word
                 ? fmt::format(" — did you mean '{}'?", name)
                 : fmt::format(" — '{}' belongs at the top of the file, above the first [section]", word);
  } else if (!nearest(word, known)) {
    const auto below =
        std::ranges::find_if(settings(), [&](const Setting& s) { return s.name.ends_with(fmt::format(".{}", word)); });
    if (below != settings().end()) advice = fmt::format(" — did you mean '{}'?", below->name);
  }
  page_.problem(key.source(), fmt::format("unknown key '{}'{}", path_of(printable(word)), advice));
}

std::string Section::path_of(std::string_view key) const {
  return path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
}

void Section::problem(const toml::node& node, std::string_view key, std::string_view error, Severity severity) {
  page_.problem(node.source(), fmt::format("{} {}", path_of(key), error), severity);
}

std::optional<std::string> Section::scalar(std::string_view key, Spelling spelling) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  auto text = scalar_text(*node, spelling);
  const bool is_path = spelling == Spelling::kPath || spelling == Spelling::kSecretPath;
  if (text && is_path && !text->empty()) {
    const auto path = page_.resolve(*text);
    if (path) {
      text = path->string();
    } else if (spelling == Spelling::kPath) {
      text = std::unexpected(path.error());
    }  // else whoever parses it finds the words
  }
  if (text) return std::move(*text);
  problem(*node, key, text.error());
  return std::nullopt;
}

const toml::table* Section::subtable(std::string_view key) {
  const toml::node* node = find(key);
  if (node == nullptr || node->is_table()) return node == nullptr ? nullptr : node->as_table();
  problem(*node, key, fmt::format("must be a table, [{}], not {}", path_of(key), type_name(*node)));
  return nullptr;
}

std::optional<std::vector<Section::Item>> Section::strings(std::string_view key, std::string_view what, Empty empty) {
  const toml::node* node = find(key);
  if (node == nullptr) return std::nullopt;
  if (const auto* one = node->as_string()) return std::vector{Item{one->get(), node}};
  const auto* array = node->as_array();
  if (array != nullptr && array->empty() && empty == Empty::kAllowed) return std::vector<Item>{};
  if (array == nullptr || array->empty()) {
    problem(*node, key,
            fmt::format("must be {}, not {}", what, array == nullptr ? type_name(*node) : "an empty array"));
    return std::nullopt;
  }
  std::vector<Item> items;
  for (const toml::node& element : *array) {
    if (const auto* text = element.as_string()) {
      items.push_back({text->get(), &element});
    } else {
      problem(element, key, fmt::format("must hold strings only, not {}", type_name(element)));
    }
  }
  if (items.empty()) return std::nullopt;
  return items;
}

std::string_view type_name(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return "a table";
    case toml::node_type::array:
      return "an array";
    case toml::node_type::string:
      return "a string";
    case toml::node_type::integer:
      return "an integer";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    case toml::node_type::boolean:
      return "a boolean";
    case toml::node_type::date:
      return "a date";
    case toml::node_type::time:
      return "a time";
    case toml::node_type::date_time:
      return "a date and time";
    case toml::node_type::none:
      break;
  }
  return "nothing";
}

Parsed<std::string> scalar_text(const toml::node& node, Spelling spelling) {
  if (fits(node, spelling)) {
    if (const auto* text = node.as_string()) return text->get();
    if (const auto* number = node.as_integer()) return fmt::to_string(number->get());
    if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  }
  if (const auto* pair = node.as_array(); pair != nullptr && spelling == Spelling::kRange && pair->size() == 2) {
    const auto* first = pair->get(0)->as_integer();
    const auto* last = pair->get(1)->as_integer();
    if (first != nullptr && last != nullptr) return fmt::format("{}-{}", first->get(), last->get());
  }
  if (const auto* words = node.as_array(); words != nullptr && spelling == Spelling::kWords) {
    std::string text;
    const bool all = std::ranges::all_of(*words, [&](const toml::node& word) {
      if (!word.is_string()) return false;
      text.append(text.empty() ? "" : " ").append(word.as_string()->get());
      return true;
    });
    if (all) return text;
    return std::unexpected("must hold strings only");
  }
  return std::unexpected(fmt::format("must be {}, not {}", expected_of(spelling), type_name(node)));
}

}  // namespace hooksmtpd::config
