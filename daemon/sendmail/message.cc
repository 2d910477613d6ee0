#include "daemon/sendmail/message.h"

#include <fmt/format.h>
#include <sys/random.h>
#include <sysexits.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>

#include "daemon/sendmail/addresses.h"
#include "daemon/sys/error.h"
#include "proto/smtp/date.h"

namespace hooksmtpd::sendmail {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) > 127; });
}

// Header lines are kept until the section is over; what comes after goes to the body.
class Reader {
 public:
  Result<> add(std::string_view lines) {
    if (message_) {
      add_body(lines);
      return {};
    }
    head_ += lines;
    const std::size_t end = find_header_end(head_, looked_at_);
    if (end != std::string::npos) {
      split(end);
    } else if (head_.size() > kMaxHeader) {
      return fail(EX_DATAERR, "the header of the message is longer than 1 MiB");
    } else if (const std::size_t line = head_.rfind("\r\n"); line != std::string::npos) {
      looked_at_ = line + 2;
    }
    return {};
  }

  Message end() && {
    if (!message_) split(head_.size());
    return *std::move(message_);
  }

 private:
  void add_body(std::string_view text) {
    message_->eight_bit_body = message_->eight_bit_body || !is_ascii(text);
    message_->body.append(text);
  }

  void split(std::size_t end) {
    std::string_view rest = std::string_view(head_).substr(end);
    if (rest.starts_with("\r\n")) rest.remove_prefix(2);
    message_.emplace(Message{.header = Header(std::string_view(head_).substr(0, end)), .body = {}});
    add_body(rest);
  }

  std::string head_;
  std::size_t looked_at_ = 0;
  std::optional<Message> message_;
};

std::string date_now() {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  ::localtime_r(&now, &local);
  return smtp::format_date({.time = std::chrono::sys_seconds(std::chrono::seconds(now)),
                            .utc_offset = std::chrono::minutes(local.tm_gmtoff / 60)});
}

std::string make_message_id(const std::string& domain) {
  std::array<std::uint64_t, 2> random;
  sys::must(::getrandom(random.data(), sizeof random, 0), "getrandom");
  return fmt::format("<{:016x}{:016x}@{}>", random[0], random[1], domain);
}

}  // namespace

Result<Message> read_message(int input, LineEnds::Dot dot) {
  LineEnds line_ends(dot);
  Reader reader;
  std::string lines;
  for (bool more = true; more;) {
    std::array<char, 64 * 1024> piece;
    const ssize_t got = ::read(input, piece.data(), piece.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(EX_IOERR, "standard input: " + sys::errno_text(errno));
    lines.clear();
    more = got > 0 && line_ends.convert({piece.data(), static_cast<std::size_t>(got)}, lines);
    if (got == 0) line_ends.finish(lines);
    if (const auto added = reader.add(lines); !added) return std::unexpected(added.error());
  }
  return std::move(reader).end();
}

Result<std::vector<mail::Mailbox>> recipients_of(const Header& header, const std::string& domain) {
  const std::string prefix = header.is_resent() ? "Resent-" : "";
  std::vector<mail::Mailbox> out;
  for (const char* name : {"To", "Cc", "Bcc"}) {
    for (const std::string& value : header.values(prefix + name)) {
      const auto found = parse_addresses(value, domain);
      if (!found) return fail(found.error().status, fmt::format("{}{}: {}", prefix, name, found.error().text));
      out.insert(out.end(), found->begin(), found->end());
    }
  }
  return out;
}

void complete(Header& header, const Author& author) {
  header.remove("Bcc");
  header.remove("Resent-Bcc");
  if (!header.has("From")) header.add("From", format_address(author.name, author.mailbox));
  if (!header.has("Date")) header.add("Date", date_now());
  if (!header.has("Message-ID")) header.add("Message-ID", make_message_id(author.domain));
}

}  // namespace hooksmtpd::sendmail
