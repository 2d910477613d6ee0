#include "proto/smtp/parameters.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

using namespace hooksmtpd;
using namespace hooksmtpd::smtp;

namespace {

constexpr Offer kAll{.size = true,
                     .eight_bit_mime = true,
                     .binary_mime = true,
                     .smtputf8 = true,
                     .dsn = true,
                     .auth = true,
                     .require_tls = true,
                     .deliver_by = true,
                     .future_release = true,
                     .mt_priority = true,
                     .tls = true,
                     .message_size = 1000,
                     .shortest_by = 60,
                     .longest_hold = 86400,
                     .latest_hold = std::chrono::sys_days(std::chrono::January / 2 / 2027)};

std::string code(std::string_view reply) { return "error " + std::string(reply.substr(0, reply.find(' ', 4))); }

// What MAIL FROM:<a@b.test> with these parameters settles, or the codes of the reply that refuses it.
std::string judged_mail(std::string_view params, const Offer& offer = kAll, std::string_view path = "a@b.test") {
  const auto parsed = parse_mail(fmt::format("FROM:<{}> {}", path, params));
  if (!parsed) return code(parsed.error());
  const auto terms = judge_mail(*parsed, offer);
  if (!terms) return code(terms.error());
  constexpr const char* kBodies[] = {"", " 8bit", " binary"};
  return fmt::format("ok{}{}{}", kBodies[static_cast<int>(terms->body)], terms->smtputf8 ? " utf8" : "",
                     terms->require_tls ? " requiretls" : "");
}

std::string judged_rcpt(std::string_view params, const Offer& offer = kAll, const MailTerms& terms = {},
                        std::string_view path = "a@b.test") {
  const auto parsed = parse_rcpt(fmt::format("TO:<{}> {}", path, params));
  if (!parsed) return code(parsed.error());
  const auto wrong = judge_rcpt(*parsed, offer, terms);
  return wrong ? code(*wrong) : "ok";
}

struct Case {
  std::string params, result;
};

const std::string k95(95, 'e');
const std::string k493(493, 'o');

const Case kMail[] = {
    {"", "ok"},
    {"SIZE=0", "ok"},
    {"SIZE=1000", "ok"},
    {"SIZE=1001", "error 552 5.3.4"},                  // RFC 1870 §6.1
    {"SIZE=99999999999999999999", "error 552 5.3.4"},  // §3: up to 20 digits
    {"SIZE=000000000000000000001", "error 501 5.5.4"},
    {"SIZE=-1", "error 501 5.5.4"},
    {"SIZE=1k", "error 501 5.5.4"},
    {"SIZE", "error 501 5.5.4"},
    {"SIZE=1 SIZE=1", "error 501 5.5.4"},
    {"BODY=7bit", "ok"},
    {"BODY=8BITMIME", "ok 8bit"},
    {"body=binarymime", "ok binary"},
    {"BODY=BINARY", "error 501 5.5.4"},
    {"BODY", "error 501 5.5.4"},
    {"SMTPUTF8", "ok utf8"},
    {"SMTPUTF8=yes", "error 501 5.5.4"},  // RFC 6531 §3.4
    {"RET=full", "ok"},
    {"RET=HDRS", "ok"},
    {"RET=BODY", "error 501 5.5.4"},
    {"RET", "error 501 5.5.4"},
    {"ENVID=QQ314159", "ok"},
    {"ENVID=a+3Db+20c", "ok"},
    {"ENVID=" + k95 + "eeeee", "ok"},
    {"ENVID=" + k95 + "eeeeee", "error 501 5.5.4"},  // RFC 3461 §4.4
    {"ENVID=a+0Ab", "error 501 5.5.4"},              // printable, once decoded
    {"ENVID=a+3db", "error 501 5.5.4"},
    {"ENVID=a+", "error 501 5.5.4"},
    {"ENVID", "error 501 5.5.4"},
    {"AUTH=<>", "ok"},
    {"AUTH=e+3Dmc2@example.com", "ok"},  // RFC 4954 §5
    {"AUTH=ann", "error 501 5.5.4"},
    {"AUTH=<ann@example.com>", "error 501 5.5.4"},
    {"AUTH=j+C3+B6rg@example.com", "error 501 5.5.4"},
    {"AUTH=j+C3+B6rg@example.com SMTPUTF8", "ok utf8"},
    {"AUTH", "error 501 5.5.4"},
    {"REQUIRETLS", "ok requiretls"},
    {"REQUIRETLS=1", "error 501 5.5.4"},
    {"BY=120;R", "ok"},
    {"BY=60;r", "ok"},
    {"BY=59;R", "error 501 5.5.4"},  // less than EHLO said
    {"BY=59;N", "ok"},
    {"BY=+120;NT", "ok"},
    {"BY=-120;NT", "ok"},
    {"BY=0;N", "ok"},
    {"BY=0;R", "error 501 5.5.4"},  // RFC 2852 §4
    {"BY=-1;R", "error 501 5.5.4"},
    {"BY=999999999;R", "ok"},
    {"BY=1000000000;R", "error 501 5.5.4"},
    {"BY=120", "error 501 5.5.4"},
    {"BY=120;", "error 501 5.5.4"},
    {"BY=120;X", "error 501 5.5.4"},
    {"BY=120;T", "error 501 5.5.4"},
    {"BY=120;RTT", "error 501 5.5.4"},
    {"BY=;R", "error 501 5.5.4"},
    {"BY=--1;N", "error 501 5.5.4"},
    {"HOLDFOR=1", "ok"},
    {"HOLDFOR=86400", "ok"},
    {"HOLDFOR=86401", "error 501 5.5.4"},
    {"HOLDFOR=0", "error 501 5.5.4"},
    {"HOLDFOR=01", "error 501 5.5.4"},
    {"HOLDFOR=9999999999", "error 501 5.5.4"},
    {"HOLDFOR", "error 501 5.5.4"},
    {"HOLDUNTIL=2027-01-02T00:00:00Z", "ok"},
    {"HOLDUNTIL=2027-01-01t23:59:60.25z", "ok"},
    {"HOLDUNTIL=2027-01-02T00:00:01Z", "error 501 5.5.4"},
    {"HOLDUNTIL=2027-01-01", "error 501 5.5.4"},
    {"HOLDUNTIL=2027-01-01T00:00:00", "error 501 5.5.4"},
    {"HOLDUNTIL=2027-01-01T00:00:00+01:00", "error 501 5.5.4"},  // RFC 4865 §4: UTC
    {"HOLDUNTIL=2027-01-01T00:00:00.Z", "error 501 5.5.4"},
    {"HOLDUNTIL=2026-02-29T00:00:00Z", "error 501 5.5.4"},
    {"HOLDUNTIL=2026-13-01T00:00:00Z", "error 501 5.5.4"},
    {"HOLDUNTIL=2026-12-01T24:00:00Z", "error 501 5.5.4"},
    {"HOLDUNTIL=2026-12-01T0:00:00Z", "error 501 5.5.4"},
    {"HOLDFOR=1 HOLDUNTIL=2027-01-01T00:00:00Z", "error 501 5.5.4"},  // RFC 4865 §4
    {"MT-PRIORITY=0", "ok"},
    {"MT-PRIORITY=9", "ok"},
    {"MT-PRIORITY=-9", "ok"},
    {"MT-PRIORITY=-0", "error 501 5.5.2"},
    {"MT-PRIORITY=+1", "error 501 5.5.2"},
    {"MT-PRIORITY=10", "error 501 5.5.2"},
    {"MT-PRIORITY=01", "error 501 5.5.2"},
    {"MT-PRIORITY", "error 501 5.5.2"},
    {"NOTIFY=NEVER", "error 555 5.5.4"},  // of RCPT
    {"X-OWN=1", "error 555 5.5.4"},
    {"ENVID=\xc3\xbc SMTPUTF8", "error 501 5.5.4"},
};

const Case kRcpt[] = {
    {"", "ok"},
    {"NOTIFY=NEVER", "ok"},
    {"NOTIFY=success,Failure,DELAY", "ok"},
    {"NOTIFY=DELAY", "ok"},
    {"NOTIFY=NEVER,DELAY", "error 501 5.5.4"},  // RFC 3461 §4.1: alone
    {"NOTIFY=DELAY,NEVER", "error 501 5.5.4"},
    {"NOTIFY=DELAY,", "error 501 5.5.4"},
    {"NOTIFY=,DELAY", "error 501 5.5.4"},
    {"NOTIFY=ALWAYS", "error 501 5.5.4"},
    {"NOTIFY", "error 501 5.5.4"},
    {"NOTIFY=NEVER NOTIFY=NEVER", "error 501 5.5.4"},
    {"ORCPT=rfc822;Bob@Ivory.EDU", "ok"},
    {"ORCPT=rfc822;a+3Db@c.test", "ok"},
    {"ORCPT=x400;/S+3Dbob/", "ok"},
    {"ORCPT=rfc822;" + k493, "ok"},
    {"ORCPT=rfc822;o" + k493, "error 501 5.5.4"},  // RFC 3461 §4.2
    {"ORCPT=rfc822", "error 501 5.5.4"},
    {"ORCPT=rfc822;", "error 501 5.5.4"},
    {"ORCPT=;bob@c.test", "error 501 5.5.4"},
    {"ORCPT=rfc(822);bob@c.test", "error 501 5.5.4"},
    {"ORCPT=rfc822;a+0Ab", "error 501 5.5.4"},
    {"ORCPT=rfc822;a+C3+B6", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{F6}rg@c.test", "ok"},  // RFC 6533 §3
    {"ORCPT=UTF-8;\\x{1F600}\\x{5C}@c.test", "ok"},
    {"ORCPT=utf-8;j+C3+B6rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{f6}rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{0F6}rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{61}rg@c.test", "error 501 5.5.4"},  // an "a" needs no escape
    {"ORCPT=utf-8;j\\x{D800}rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{110000}rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\\x{F6rg@c.test", "error 501 5.5.4"},
    {"ORCPT=utf-8;", "error 501 5.5.4"},
    {"ORCPT=utf-8;j\xc3\xb6rg@c.test", "error 501 5.5.4"},
    {"SIZE=1", "error 555 5.5.4"},  // of MAIL
};

}  // namespace

TEST_CASE("each parameter of MAIL has its form, and its RFC's reply where it has another") {
  for (const Case& c : kMail) {
    CAPTURE(c.params);
    CHECK(judged_mail(c.params) == c.result);
  }
}

TEST_CASE("each parameter of RCPT has its form (RFC 3461 §4)") {
  for (const Case& c : kRcpt) {
    CAPTURE(c.params);
    CHECK(judged_rcpt(c.params) == c.result);
  }
  CHECK(judged_rcpt("ORCPT=utf-8;j\xc3\xb6rg@c.test", kAll, {.smtputf8 = true}) == "ok");
}

TEST_CASE("a parameter of an extension that is not offered is not known (§4.1.1.11)") {
  for (const char* params : {"SIZE=1", "BODY=7BIT", "SMTPUTF8", "RET=FULL", "ENVID=x", "AUTH=<>", "REQUIRETLS",
                             "BY=120;R", "HOLDFOR=1", "HOLDUNTIL=2027-01-01T00:00:00Z", "MT-PRIORITY=1"}) {
    CAPTURE(params);
    CHECK(judged_mail(params) != "error 555 5.5.4");
    CHECK(judged_mail(params, Offer()) == "error 555 5.5.4");
  }
  CHECK(judged_rcpt("NOTIFY=NEVER", Offer()) == "error 555 5.5.4");
  CHECK(judged_rcpt("ORCPT=rfc822;a@b", Offer()) == "error 555 5.5.4");
  Offer offer{.eight_bit_mime = true};
  CHECK(judged_mail("BODY=BINARYMIME", offer) == "error 555 5.5.4");
  offer = {.binary_mime = true};
  CHECK(judged_mail("BODY=BINARYMIME", offer) == "ok binary");
  CHECK(judged_mail("BODY=8BITMIME", offer) == "error 555 5.5.4");
}

TEST_CASE("REQUIRETLS is for encrypted sessions (RFC 8689 §2)") {
  Offer offer = kAll;
  offer.tls = false;
  CHECK(judged_mail("REQUIRETLS", offer) == "error 530 5.7.10");
}

TEST_CASE("an address beyond ASCII needs SMTPUTF8 (RFC 6531 §3.5)") {
  for (const char* path : {"j\xc3\xb6rg@b.test", "\"j\xc3\xb6rg\"@b.test", "ann@k\xc3\xb6ln.test"}) {
    CAPTURE(path);
    CHECK(judged_mail("", kAll, path) == "error 550 5.6.7");
    CHECK(judged_mail("SMTPUTF8", kAll, path) == "ok utf8");
    CHECK(judged_mail("", Offer(), path) == "error 550 5.6.7");
    CHECK(judged_rcpt("", kAll, {}, path) == "error 553 5.6.7");
    CHECK(judged_rcpt("", kAll, {.smtputf8 = true}, path) == "ok");
  }
  CHECK(judged_mail("SMTPUTF8", kAll, "j\xc3rg@b.test") == "error 501 5.1.7");
  CHECK(judged_rcpt("", kAll, {.smtputf8 = true}, "j\xc3rg@b.test") == "error 501 5.1.3");
}
