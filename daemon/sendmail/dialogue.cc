#include "daemon/sendmail/dialogue.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sysexits.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <cstdio>

#include "daemon/sys/error.h"
#include "proto/mail/utf8.h"

namespace hooksmtpd::sendmail {
namespace {

constexpr std::size_t kMaxLine = 4096;  // §4.5.3.1.5 says 512; servers write more
constexpr std::size_t kMaxReply = 64 * 1024;

// For a terminal.
std::string harmless(std::string_view text) {
  std::string out(text);
  const bool utf8 = mail::is_utf8(text);
  std::ranges::replace_if(out, [&](unsigned char c) { return c < 0x20 || c == 0x7f || (c > 0x7f && !utf8); }, '?');
  return out;
}

// "250 text" or "250-text", or only the code (§4.2).
bool is_reply_line(std::string_view line) {
  return line.size() >= 3 && line[0] >= '2' && line[0] <= '5' && std::isdigit(static_cast<unsigned char>(line[1])) &&
         std::isdigit(static_cast<unsigned char>(line[2])) && (line.size() == 3 || line[3] == ' ' || line[3] == '-');
}

}  // namespace

void Dialogue::show(std::string_view direction, std::string_view line) const {
  if (show_ == Show::kLines) fmt::print(stderr, "{} {}\n", direction, line);
}

Result<std::string> Dialogue::read_line(std::chrono::milliseconds patience) {
  std::size_t end = 0;
  while ((end = unread_.find('\n')) == std::string::npos) {
    if (unread_.size() > kMaxLine) return fail(EX_PROTOCOL, "the server sends a line without an end");
    pollfd wait{.fd = connection_.get(), .events = POLLIN, .revents = 0};
    const int ready = ::poll(&wait, 1, static_cast<int>(patience.count()));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return fail(EX_TEMPFAIL, "the server does not answer");
    std::array<char, 4096> piece;
    const ssize_t got = ::recv(connection_.get(), piece.data(), piece.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(EX_TEMPFAIL, "the connection broke: " + sys::errno_text(errno));
    if (got == 0) return fail(EX_TEMPFAIL, "the server closed the connection");
    unread_.append(piece.data(), static_cast<std::size_t>(got));
  }
  std::string line = unread_.substr(0, end);
  unread_.erase(0, end + 1);
  if (line.ends_with('\r')) line.pop_back();
  return line;
}

Result<Reply> Dialogue::reply(std::chrono::milliseconds patience) {
  Reply reply;
  for (bool more = true; more;) {
    const auto line = read_line(patience);
    if (!line) return std::unexpected(line.error());
    const std::string shown = harmless(*line);
    show("<", shown);
    if (!is_reply_line(*line)) return fail(EX_PROTOCOL, "the server speaks no SMTP: " + shown);
    reply.code = std::stoi(line->substr(0, 3));
    reply.text += (reply.text.empty() ? "" : "\n") + shown;
    if (reply.text.size() > kMaxReply) return fail(EX_PROTOCOL, "the server sends a reply without an end");
    more = line->size() > 3 && (*line)[3] == '-';
  }
  return reply;
}

Result<> Dialogue::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = ::send(connection_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0) return fail(EX_TEMPFAIL, "the connection broke: " + sys::errno_text(errno));
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return {};
}

Result<Reply> Dialogue::say(std::string_view line, std::chrono::milliseconds patience) {
  show(">", line);
  if (const auto sent = send(fmt::format("{}\r\n", line)); !sent) return std::unexpected(sent.error());
  return reply(patience);
}

}  // namespace hooksmtpd::sendmail
