#include "daemon/sendmail/header.h"

#include <doctest/doctest.h>

#include <string>

#include "daemon/sendmail/message.h"

using namespace hooksmtpd::sendmail;

TEST_CASE("a header ends at an empty line, or at the first line that is none of it") {
  CHECK(find_header_end("Subject: x\r\nTo: a\r\n\r\nbody\r\n") == 19);
  CHECK(find_header_end("Subject: x\r\n folded: too\r\n\r\n") == 26);
  CHECK(find_header_end("hello bob\r\n") == 0);
  CHECK(find_header_end(" Subject: x\r\n") == 0);
  CHECK(find_header_end("Subject: x\r\nhello bob\r\n") == 12);
  CHECK(find_header_end("Subject : obsolete\r\n\r\n") == 20);
  CHECK(find_header_end("From ann@dev.test Sun Nov 22 12:00:00 2026\r\nSubject: x\r\n\r\n") == 56);
  CHECK(find_header_end("Subject: x\r\nTo: a\r\n") == std::string::npos);
  CHECK(find_header_end("Subject: x\r\nTo: not whole") == std::string::npos);
}

TEST_CASE("fields keep their octets; names are found in any case") {
  const std::string text = "subject:x\r\nX-Odd :  \xff \r\n\tmore\r\nTO: a,\r\n b\r\nto: c\r\n";
  Header header(text);
  CHECK(header.text() == text);
  CHECK(header.has("Subject"));
  CHECK(header.values("To") == std::vector<std::string>{" a, b", " c"});
  header.remove("To");
  CHECK(header.text() == "subject:x\r\nX-Odd :  \xff \r\n\tmore\r\n");
}

TEST_CASE("what is missing is added, Bcc goes, and the rest stays") {
  const Author author{.name = "Ann", .mailbox = {.local_part = "ann", .domain = "dev.test"}, .domain = "dev.test"};
  Header bare("Subject: x\r\nBcc: eve@dev.test,\r\n fred@dev.test\r\n");
  complete(bare, author);
  CHECK(bare.text().starts_with("Subject: x\r\nFrom: Ann <ann@dev.test>\r\nDate: "));
  CHECK(bare.text().find("\r\nMessage-ID: <") != std::string::npos);

  const std::string whole = "From: x\r\nDate: y\r\nMessage-Id: z\r\n";
  Header finished(whole);
  complete(finished, author);
  CHECK(finished.text() == whole);
}

TEST_CASE("a message that was sent again goes to its Resent fields (RFC 5322 §3.6.6)") {
  const Header header("To: a@dev.test\r\nResent-To: b@dev.test\r\nResent-Bcc: c@dev.test\r\n");
  const auto found = recipients_of(header, "own.test");
  REQUIRE(found);
  REQUIRE(found->size() == 2);
  CHECK(hooksmtpd::mail::to_string(found->front()) == "b@dev.test");
}
