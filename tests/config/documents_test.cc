// The shipped file and the manual page say what the program does.

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string>
#include <string_view>

#include "config/extensions.h"
#include "config/load.h"
#include "config/settings.h"
#include "config/tables.h"
#include "proto/smtp/extensions.h"

namespace hooksmtpd::config {
namespace {

std::string read_document(const std::string& name) {
  std::ifstream file(std::string(HOOKSMTPD_CONFIG_FOLDER "/").append(name));
  REQUIRE_MESSAGE(file, name);
  return {std::istreambuf_iterator<char>(file), {}};
}

// Of what is commented out: "#key = value" is a line to use, "# text" one to read.
std::string uncommented(const std::string& text) {
  std::istringstream lines(text);
  std::string out;
  for (std::string line; std::getline(lines, line);) {
    const bool usable = line.size() > 1 && line[0] == '#' && line[1] != ' ';
    out.append(line, usable ? 1 : 0).append("\n");
  }
  return out;
}

std::expected<Loaded, std::vector<Problem>> load_document(std::string text) {
  Request request;
  request.machine = {.hostname = "mail.example.test", .uid = 0, .environment = {}, .hooks = "/libexec"};
  const FileText file{.name = "/etc/hooksmtpd/hooksmtpd.toml", .text = std::move(text)};
  return load_texts({&file, 1}, request);
}

TEST_CASE("the shipped file loads without a word, and changes nothing") {
  auto loaded = load_document(read_document("hooksmtpd.toml"));
  REQUIRE(loaded);
  CHECK(loaded->warnings.empty());
  Config expected = defaults({.hostname = "mail.example.test", .uid = 0, .environment = {}, .hooks = "/libexec"});
  expected.listeners[0].source = loaded->config.listeners.at(0).source;
  expected.hooks[0].source = loaded->config.hooks.at(0).source;
  CHECK_EQ(loaded->config, expected);
}

TEST_CASE("the shipped file shows every setting with its default, and every key of a listener and of a hook") {
  const std::string text = uncommented(read_document("hooksmtpd.toml"));
  const auto loaded = load_document(text);
  if (!loaded) FAIL(to_string(loaded.error()));
  CHECK(loaded->warnings.empty());
  const auto untouched = load_document("");
  REQUIRE(untouched);
  for (const Setting& setting : settings()) {
    CHECK_MESSAGE(loaded->origins.at(std::string(setting.name)).kind == Origin::Kind::kFile, setting.name);
    CHECK_EQ(setting.get(loaded->config), setting.get(untouched->config));
  }
  for (const std::string_view key : kListenerKeys) {
    const bool group = key == "limits" || key == "timeouts" || key == "auth";
    const std::string head = group ? fmt::format("[listener.{}]", key) : fmt::format("{} = ", key);
    CHECK_MESSAGE(text.find("\n" + head) != std::string::npos, key);
  }
  for (const std::string_view key : kHookKeys) {
    const bool shown = text.find(fmt::format("\n{} = ", key)) != std::string::npos || key == "sandbox";
    CHECK_MESSAGE(shown, key);
  }
  for (const std::string_view key : kSandboxKeys) {
    CHECK_MESSAGE(text.find(fmt::format("\n{} = ", key)) != std::string::npos, key);
  }
}

TEST_CASE("the manual page has every key, and the default of each setting") {
  const std::string page = read_document("hooksmtpd.toml.5");
  const auto has = [&](const std::string& line) { return page.find("\n" + line + "\n") != std::string::npos; };
  const auto loaded = load_document("");
  REQUIRE(loaded);
  for (const Setting& setting : settings()) {
    const std::string value = setting.get(loaded->config);
    const std::string head = fmt::format(".It Ic {}", setting.name);
    const bool by_machine = setting.name == "hostname" || setting.name == "state_dir" || setting.name == "runtime_dir";
    const bool bare = setting.spelling == Spelling::kInteger || setting.spelling == Spelling::kBoolean;
    CHECK_MESSAGE(has(by_machine || value.empty() ? head : fmt::format("{} No = {}{}", head, bare ? "" : "Qq ", value)),
                  setting.name);
  }
  const auto has_item = [&](const std::string& key) {
    return has(".It Ic " + key) || page.find("\n.It Ic " + key + " No = ") != std::string::npos;
  };
  for (const std::string_view key : kListenerKeys) CHECK_MESSAGE(has_item(std::string(key)), key);
  for (const std::string_view key : kCertificateKeys) CHECK_MESSAGE(has_item(fmt::format("tls.{}", key)), key);
  for (const std::string_view extension : kExtensions) {
    CHECK_MESSAGE(page.find(fmt::format(".Ql {}", extension)) != std::string::npos, extension);
  }
  for (const std::string_view key : kSandboxKeys) CHECK_MESSAGE(has_item(fmt::format("sandbox.{}", key)), key);
  for (const std::string_view key : kHookKeys) CHECK_MESSAGE((key == "sandbox" || has_item(std::string(key))), key);
}

TEST_CASE("what a listener can hide is what a session can offer") {
  for (std::size_t i = 0; i < kExtensions.size(); ++i) {
    CHECK_EQ(kExtensions[i], smtp::to_string(static_cast<smtp::Extension>(i)));
  }
  CHECK_EQ(kExtensions.size(), static_cast<std::size_t>(smtp::Extension::kHelp) + 1);
}

TEST_CASE("the manual page's example loads without a word") {
  const std::string page = read_document("hooksmtpd.toml.5");
  const std::string_view start = ".Bd -literal -offset indent\n";
  const std::size_t from = page.find(start);
  REQUIRE_NE(from, std::string::npos);
  const std::size_t begin = from + start.size();
  const auto loaded = load_document(page.substr(begin, page.find(".Ed", begin) - begin));
  if (!loaded) FAIL(to_string(loaded.error()));
  CHECK(loaded->warnings.empty());
  CHECK_EQ(loaded->config.hooks.size(), 2);
}

}  // namespace
}  // namespace hooksmtpd::config
