// A client's side of an SMTP connection: a line out, a reply in.

#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "daemon/sendmail/failure.h"
#include "daemon/sys/fd.h"

namespace hooksmtpd::sendmail {

struct Reply {
  int code = 0;      // 200 to 599
  std::string text;  // its lines as they came, joined by "\n", what is not printable ASCII or UTF-8 shown as "?"

  bool ok() const { return code < 400; }
};

// How long a client waits (RFC 5321 §4.5.3.2.1 to .5, and .6 for the reply to the end of the data).
inline constexpr std::chrono::minutes kPatience{5};
inline constexpr std::chrono::minutes kPatienceAtTheEnd{10};

class Dialogue {
 public:
  enum class Show { kNothing, kLines };  // kLines: what is said, on standard error

  Dialogue(sys::Fd connection, Show show) : connection_(std::move(connection)), show_(show) {}

  // EX_TEMPFAIL when the connection is lost, EX_PROTOCOL when what comes is no reply.
  Result<Reply> reply(std::chrono::milliseconds patience = kPatience);
  // `line` without CRLF, and the reply to it.
  Result<Reply> say(std::string_view line, std::chrono::milliseconds patience = kPatience);
  Result<> send(std::string_view bytes);

 private:
  Result<std::string> read_line(std::chrono::milliseconds patience);
  void show(std::string_view direction, std::string_view line) const;

  sys::Fd connection_;
  Show show_;
  std::string unread_;
};

}  // namespace hooksmtpd::sendmail
