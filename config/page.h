// One configuration file while it is read: its syntax tree, and everything that turned out wrong in it.
//
// Reading goes on after an error, so that all of them are told at once; a value with an error is left at its default,
// and load() throws the whole result away.

#pragma once

#include <toml++/toml.h>

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "config/load.h"
#include "config/settings.h"
#include "config/spelling.h"

namespace hooksmtpd::config {

class Page {
 public:
  explicit Page(std::filesystem::path file) : file_(std::move(file)) {}

  Source at(const toml::source_region& region) const;
  void problem(const toml::source_region& region, std::string text, Severity severity = Severity::kError);

  // What a file or folder named in this file means. Relative names with a slash count from this file's folder.
  Parsed<std::filesystem::path> resolve(std::string_view name) const;

  // In the order of their places.
  std::vector<Problem> take_problems();

 private:
  std::filesystem::path file_;
  std::vector<Problem> problems_;
};

// One table of a page: "limits", or "hook.policy". A key outside `known` is reported at once.
class Section {
 public:
  Section(Page& page, const toml::table& table, std::string path, std::span<const std::string_view> known);

  Page& page() { return page_; }
  const toml::table& table() const { return table_; }
  // "hook.policy.timeout".
  std::string path_of(std::string_view key) const;

  // Null where the file does not say.
  const toml::node* find(std::string_view key) const { return table_.get(key); }

  // `error` goes on from the key: "must be from 1 to 64, not 65".
  void problem(const toml::node& node, std::string_view key, std::string_view error, Severity = Severity::kError);

  // Empty where the file does not say, or says it wrong (reported). A path is resolved.
  std::optional<std::string> scalar(std::string_view key, Spelling spelling);
  template <class Parse>
  auto value(std::string_view key, Spelling spelling, Parse parse)
      -> std::optional<typename decltype(parse(""))::value_type>;
  const toml::table* subtable(std::string_view key);

  // One string, or an array of them; what else stands in the array is reported and left out.
  struct Item {
    std::string text;
    const toml::node* node;
  };
  enum class Empty : bool { kRefused, kAllowed };
  std::optional<std::vector<Item>> strings(std::string_view key, std::string_view what, Empty = Empty::kRefused);

 private:
  void unknown(const toml::key& key, std::span<const std::string_view> known);

  Page& page_;
  const toml::table& table_;
  std::string path_;
};

// "a string", "an integer".
std::string_view type_name(const toml::node& node);

// A scalar as the text that Setting::set() reads.
Parsed<std::string> scalar_text(const toml::node& node, Spelling spelling);

template <class Parse>
auto Section::value(std::string_view key, Spelling spelling, Parse parse)
    -> std::optional<typename decltype(parse(""))::value_type> {
  const auto text = scalar(key, spelling);
  if (!text) return std::nullopt;
  auto parsed = parse(*text);
  if (parsed) return std::move(*parsed);
  problem(*find(key), key, parsed.error());
  return std::nullopt;
}

}  // namespace hooksmtpd::config
