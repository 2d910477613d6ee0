// Reply, dates, trace headers: what is made from other people's text.

#include <doctest/doctest.h>

#include <algorithm>

#include "proto/smtp/date.h"
#include "proto/smtp/limits.h"
#include "proto/smtp/reply.h"
#include "proto/smtp/trace.h"

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

TEST_CASE("no text of a hook can end a reply line, forge another or overflow it (§4.2.1, §4.5.3.1.5)") {
  CHECK(Reply::make(550, "5.7.1", "a\r\n250 ok").wire() == "550 5.7.1 a  250 ok\r\n");
  CHECK(Reply::make(550, "5.7.1", std::string_view("a\r\n\0\x1b\xff", 6)).wire() == "550 5.7.1 a    ?\r\n");
  CHECK(Reply::make(550, "", std::string(2000, 'x')).wire().size() == kMaxReplyLine);
  const std::vector<std::string> many(50, "line");
  const Reply reply = Reply::make(450, "4.2.1", many);
  CHECK(std::ranges::count(reply.wire(), '\n') == kMaxReplyLines);
  CHECK(reply.wire().starts_with("450-4.2.1 line\r\n"));
  CHECK(reply.wire().ends_with("450 4.2.1 line\r\n"));
  CHECK(Reply::make(250, "", std::span<const std::string>()).wire() == "250 \r\n");
}

TEST_CASE("dates are RFC 5322's, in local time with its offset") {
  using namespace std::chrono;
  const sys_seconds time = sys_days(2026y / November / 22) + 19h + 8min + 41s;
  CHECK(format_date({.time = time}) == "Sun, 22 Nov 2026 19:08:41 +0000");
  CHECK(format_date({.time = time, .utc_offset = 5h + 30min}) == "Mon, 23 Nov 2026 00:38:41 +0530");
  CHECK(format_date({.time = time, .utc_offset = -3h - 30min}) == "Sun, 22 Nov 2026 15:38:41 -0330");
  CHECK(format_date({.time = sys_days(2024y / February / 29)}) == "Thu, 29 Feb 2024 00:00:00 +0000");
}

TEST_CASE("trace headers name a single recipient and no list of them (§4.4, §7.2)") {
  mail::Envelope envelope{.reverse_path = std::nullopt, .params = {}, .recipients = {}};
  envelope.recipients.push_back({.mailbox = {"bob", "b.test"}, .params = {}});
  const auto headers = [&envelope] {
    return trace_headers({.helo = "c.test",
                          .client_address = "::1",
                          .hostname = "mail.test",
                          .protocol = "ESMTP",
                          .tls = nullptr,
                          .transaction = "t.1",
                          .envelope = envelope,
                          .now = {}});
  };
  CHECK(headers() ==
        "Return-Path: <>\r\nReceived: from c.test ([IPv6:::1])\r\n\tby mail.test with ESMTP id t.1\r\n\tfor "
        "<bob@b.test>;\r\n"
        "\tThu, 1 Jan 1970 00:00:00 +0000\r\n");
  envelope.recipients.push_back({.mailbox = {"carol", "b.test"}, .params = {}});
  CHECK_FALSE(headers().contains("for"));
}
