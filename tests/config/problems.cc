#include "tests/config/problems.h"

#include <doctest/doctest.h>

#include <array>
#include <expected>
#include <vector>

#include "config/load.h"

namespace hooksmtpd::config {
namespace {

constexpr std::string_view kName = "/c/h.toml:";
constexpr const char* kCertificate = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";
constexpr const char* kKey = "-----BEGIN PRIVATE KEY-----\nSECRET\n-----END PRIVATE KEY-----\n";

std::expected<Loaded, std::vector<Problem>> load_one(std::string_view text) {
  Request request;
  request.machine = {.hostname = "mail.test", .uid = 0, .environment = {}, .hooks = "/libexec"};
  const FileText file{.name = "/c/h.toml", .text = std::string(text)};
  const std::array<FileText, 7> named{{
      {.name = "/c/cert.pem", .text = kCertificate},
      {.name = "/c/key.pem", .text = kKey},
      {.name = "/c/both.pem", .text = std::string(kKey) + kCertificate},
      {.name = "/c/der.crt", .text = "\x30\x82\x01\x02"},
      {.name = "/c/empty.pem", .text = ""},
      {.name = "/c/cas/README", .text = kCertificate},
      {.name = "/c/passwords", .text = "# nobody yet\n"},
  }};
  return load_texts({&file, 1}, request, named);
}

void append(std::string& lines, std::string line) {
  if (line.starts_with(kName)) line.erase(0, kName.size());
  lines.append(lines.empty() ? "" : "\n").append(line);
}

}  // namespace

std::string problems_of(std::string_view text) {
  const auto loaded = load_one(text);
  if (loaded) return "no error";
  std::string lines;
  for (const Problem& problem : loaded.error()) {
    CHECK_EQ(problem.where.file, "/c/h.toml");
    append(lines, to_string(problem));
  }
  return lines;
}

std::string warnings_of(std::string_view text) {
  const auto loaded = load_one(text);
  if (!loaded) return to_string(loaded.error());
  std::string lines;
  for (const Problem& problem : loaded->warnings) {
    if (problem.text.starts_with("no hook has the event 'deliver'")) continue;
    append(lines, to_string(problem));
  }
  return lines;
}

}  // namespace hooksmtpd::config
