#include "hooks/inbox/api/export.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

#include "hooks/inbox/api/asked.h"
#include "hooks/inbox/mail/digest.h"

namespace hooksmtpd::inbox::v2 {
namespace {

constexpr std::size_t kMostExported = 10'000;
constexpr std::size_t kMostNamed = 10;                 // of what is not there,
constexpr std::size_t kMaxNamed = 64;                  // and octets of each
constexpr std::size_t kMaxExport = 512 * 1024 * 1024;  // octets

void put(std::string& out, std::uint64_t value, std::size_t octets) {
  for (std::size_t i = 0; i < octets; ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
}

// A ZIP archive of files that are not compressed (PKWARE's APPNOTE 4.3): mail is text, but whoever wants it smaller has
// a program for that.
class Zip {
 public:
  void add(std::string_view name, std::string_view octets) {
    std::string common;
    put(common, 20, 2);      // version needed
    put(common, 0x800, 2);   // the name is UTF-8
    put(common, 0, 2);       // stored
    put(common, 0, 2);       // time
    put(common, 0x5821, 2);  // 2024-01-01
    put(common, crc32(0, reinterpret_cast<const Bytef*>(octets.data()), static_cast<uInt>(octets.size())), 4);
    put(common, octets.size(), 4);
    put(common, octets.size(), 4);
    put(common, name.size(), 2);
    put(common, 0, 2);  // no extra field
    directory_.append("PK\1\2");
    put(directory_, 20, 2);  // version made by
    directory_.append(common);
    put(directory_, 0, 2);  // no comment,
    put(directory_, 0, 4);  // first disk, no attributes
    put(directory_, 0, 4);
    put(directory_, out_.size(), 4);
    directory_.append(name);
    out_.append("PK\3\4").append(common).append(name).append(octets);
    ++count_;
  }

  std::string finish() {
    const std::size_t begin = out_.size();
    out_ += directory_;
    out_.append("PK\5\6");
    put(out_, 0, 4);
    put(out_, count_, 2);
    put(out_, count_, 2);
    put(out_, directory_.size(), 4);
    put(out_, begin, 4);
    put(out_, 0, 2);
    return std::move(out_);
  }

 private:
  std::string out_, directory_;
  std::size_t count_ = 0;
};

// mboxrd: a line that begins like a message's first gets one ">" more, to be taken off again.
void add_to_mbox(std::string& out, const Summary& summary, std::string_view octets) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(summary.received);
  out += fmt::format("From - {:%a %b %d %H:%M:%S %Y}\n", fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)));
  while (!octets.empty()) {
    const std::size_t end = std::min(octets.find('\n'), octets.size());
    std::string_view line = octets.substr(0, end);
    octets.remove_prefix(std::min(end + 1, octets.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::size_t quotes = std::min(line.find_first_not_of('>'), line.size());
    if (line.substr(quotes).starts_with("From ")) out += '>';
    out.append(line).append(1, '\n');
  }
  out += '\n';
}

// All of them, or none: who deletes what was exported must not lose the rest.
std::vector<Summary> named(Context& context, const std::string& ids) {
  std::vector<Summary> messages;
  std::string unknown;
  std::size_t missing = 0;
  std::istringstream in(ids);
  for (std::string id; std::getline(in, id, ',');) {
    if (const auto message = context.store.reader().message(id)) {
      messages.push_back(message->summary);
    } else if (++missing <= kMostNamed) {
      unknown.append(unknown.empty() ? "" : ", ").append(one_line(id, kMaxNamed));
    }
  }
  if (missing > kMostNamed) unknown.append(fmt::format(" and {} more", missing - kMostNamed));
  if (missing > 0) not_found(fmt::format("there is no such message: {}", unknown));
  return messages;
}

std::vector<Summary> chosen(Context& context, const Exchange& exchange) {
  if (exchange.has_parameter("ids")) return named(context, exchange.parameter("ids"));
  const std::string query = exchange.parameter("query"), mailbox = exchange.parameter("mailbox");
  Page page = context.store.reader().list({.query = query, .mailbox = mailbox, .limit = kMostExported}, now());
  if (page.next != 0) bad_request(fmt::format("these are more than {} messages: choose fewer", kMostExported));
  return std::move(page.messages);
}

// "Subject of it": letters, digits and what else no file system minds.
std::string file_name(const Summary& summary) {
  std::string name;
  for (const char c : one_line(summary.subject, 60)) {
    name += std::string_view("/\\:*?\"<>|%").contains(c) || static_cast<unsigned char>(c) < ' ' ? '_' : c;
  }
  return name.empty() || name.starts_with('.') ? "message" + name : name;
}

}  // namespace

bool is_harmless_image(std::string_view type) {
  constexpr std::array<std::string_view, 6> kTypes{"image/png",  "image/jpeg", "image/gif",
                                                   "image/webp", "image/bmp",  "image/avif"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

std::string attachment_header(std::string_view filename) {
  filename.remove_prefix(std::min(filename.find_last_of("/\\") + 1, filename.size()));
  std::string plain, encoded;
  for (const char c : filename.substr(0, 200)) {
    const auto octet = static_cast<unsigned char>(c);
    const bool safe = (octet >= '0' && octet <= '9') || (octet >= 'a' && octet <= 'z') ||
                      (octet >= 'A' && octet <= 'Z') || std::string_view(" ._-+()").contains(c);
    plain += safe ? c : '_';
    encoded += safe && c != ' ' && c != '(' && c != ')' ? std::string(1, c) : fmt::format("%{:02X}", octet);
  }
  return fmt::format("attachment; filename=\"{}\"; filename*=UTF-8''{}", plain, encoded);
}

void export_messages(Context& context, Exchange& exchange) {
  const std::string format = exchange.parameter("format");
  if (format != "zip" && format != "mbox" && format != "eml") bad_request("`format` must be zip, mbox or eml");
  const std::vector<Summary> messages = chosen(context, exchange);
  if (messages.empty()) not_found("there is no such message");
  if (format == "eml" && messages.size() > 1) bad_request("only one message can be an .eml: take zip or mbox");
  Zip zip;
  std::string mbox;
  std::size_t octets = 0;
  for (const Summary& summary : messages) {
    if (octets += summary.size; octets > kMaxExport)
      bad_request("that is too much for one file: choose fewer messages");
    context.store.reader().raw(summary.id, [&](std::string_view raw) {
      if (format == "eml") mbox = raw;
      if (format == "mbox") add_to_mbox(mbox, summary, raw);
      if (format == "zip") zip.add(fmt::format("{} {}.eml", file_name(summary), summary.id.substr(0, 8)), raw);
    });
  }
  const std::string name = format == "eml" ? file_name(messages.front()) + ".eml" : "messages." + format;
  const char* const type = format == "zip"    ? "application/zip"
                           : format == "mbox" ? "application/mbox"
                                              : "message/rfc822";
  exchange.reply(HTTP_OK, type, format == "zip" ? zip.finish() : mbox,
                 {{"Content-Disposition", attachment_header(name)}});
}

}  // namespace hooksmtpd::inbox::v2
