#include "daemon/ctl/hook/materials.h"

#include <fmt/format.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <nlohmann/json.hpp>
#include <ranges>
#include <stdexcept>

#include "daemon/ctl/hook/embedded.h"
#include "daemon/sys/error.h"
#include "proto/hook/facts.h"
#include "proto/hook/json_writer.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::ctl {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using hook::Event;

constexpr std::size_t kLongLine = 1000;  // RFC 5321 §4.5.3.1.6, with its CRLF

constexpr std::string_view kTrace =
    "Return-Path: <ann@example.org>\r\n"
    "Received: from laptop.example ([192.0.2.7]) by mail.test with ESMTP id c7f3a1-1;\r\n"
    " Sun, 22 Nov 2026 17:20:11 +0000\r\n";
constexpr std::string_view kMessage =
    "From: Ann <ann@example.org>\r\n"
    "To: Bob <bob@example.test>\r\n"
    "Subject: a message to try a hook with\r\n"
    "Date: Sun, 22 Nov 2026 17:20:10 +0000\r\n"
    "Message-ID: <1@laptop.example>\r\n"
    "\r\n"
    "Hello Bob.\r\n"
    ".\r\n"
    "From here on there is nothing.\r\n";

void write_file(const fs::path& path, std::string_view content) {
  std::ofstream file(path, std::ios::binary);
  file.write(content.data(), static_cast<std::streamsize>(content.size()));
  file.close();
  if (!file) throw std::runtime_error(fmt::format("{} cannot be written", path.string()));
}

std::uint64_t count_long_lines(std::string_view text) {
  return static_cast<std::uint64_t>(std::ranges::count_if(
      std::views::split(text, '\n'), [](const auto& line) { return std::ranges::size(line) >= kLongLine; }));
}

std::string base64(std::string_view octets) {
  std::string array;
  hook::JsonWriter(array).base64(octets);
  return array.substr(1, array.size() - 2);
}

// What the golden request carries in the line is a message, too.
std::string content_of(const Case& one) {
  if (one.message && one.form == MessageForm::kAsDelivered) return *one.message;
  if (one.message) return std::string(kTrace) + *one.message;
  const Json& message = one.request["message"];
  if (message.contains("data")) return std::string(kTrace) + message["data"].get<std::string>();
  return std::string(kTrace).append(kMessage);
}

Json describe(const std::string& content) {
  return {{"size", content.size()},
          {"eight_bit", !mail::is_ascii(content)},
          {"long_lines", count_long_lines(content)},
          {"trace_headers", 2}};
}

// Where a message is: in the line, if the hook asked for that and it fits, or in a file.
void place_message(Json& message, const std::string& content, const fs::path& path, BodyForm form) {
  for (const auto key : {"path", "path_b64", "data", "data_b64"}) message.erase(key);
  if (form == BodyForm::kPath || !hook::fits_inline(content)) {
    write_file(path, content);
    message["path"] = path.string();
  } else if (mail::is_utf8(content)) {
    message["data"] = content;
  } else {
    message["data_b64"] = base64(content);
  }
}

// Gives each part of a tree its file. What a part says of its body is made true.
void place_parts(Json& node, const fs::path& folder, std::size_t& number) {
  if (node.contains("path")) {
    const std::string body =
        node.contains("text") ? node["text"].get<std::string>() : std::string(node.value("size", std::size_t{0}), 'x');
    const fs::path path = folder / fmt::format("part-{}", ++number);
    write_file(path, body);
    node["path"] = path.string();
    node["size"] = body.size();
    if (node.contains("charset")) node["charset"] = "utf-8";
  }
  if (node.contains("message")) place_parts(node["message"], folder, number);
  if (node.contains("parts")) {
    for (Json& part : node["parts"]) place_parts(part, folder, number);
  }
}

void place_tree(Json& mime, const fs::path& folder) {
  std::size_t number = 0;
  if (mime.contains("type")) return place_parts(mime, folder, number);
  Json tree = Json::parse(first_golden(Event::kDeliverMime))["mime"];
  place_parts(tree, folder, number);
  const fs::path path = folder / "tree.json";
  write_file(path, tree.dump());
  mime["path"] = path.string();
}

}  // namespace

TemporaryFolder::TemporaryFolder(Readers readers) {
  std::string name = (fs::temp_directory_path() / "hooksmtpctl-XXXXXX").string();
  if (::mkdtemp(name.data()) == nullptr) sys::throw_errno("mkdtemp " + name);
  path_ = name;
  if (readers == Readers::kOurselves) return;
  ::umask(022);
  if (::chmod(name.c_str(), 0755) != 0) sys::throw_errno("chmod " + name);
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

Json place_files(const Case& one, const fs::path& folder, BodyForm form) {
  Json request = one.request;
  if (one.event != Event::kDeliver && one.event != Event::kDeliverMime) return request;
  const std::string content = content_of(one);
  Json& message = request["message"];
  if (one.form == MessageForm::kAsSent) message = describe(content);
  place_message(message, content, folder / "message.eml", form);
  if (request.contains("mime")) place_tree(request["mime"], folder);
  return request;
}

}  // namespace hooksmtpd::ctl
