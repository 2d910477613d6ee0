#include "daemon/sendmail/options.h"

#include <doctest/doctest.h>
#include <sysexits.h>

using namespace hooksmtpd::sendmail;

using Words = std::vector<std::string>;

TEST_CASE("the command lines of well-known callers are understood") {
  const auto php = parse_options({"-t", "-i"});
  CHECK((php && php->recipients_from_header && php->dot_is_text && php->recipients.empty()));
  const auto cron = parse_options({"-FCronDaemon", "-i", "-B8BITMIME", "-oem", "root"});
  CHECK((cron && cron->full_name == "CronDaemon" && cron->recipients == Words{"root"}));
  const auto mailx = parse_options({"-i", "-oem", "-odb", "-r", "ann@dev.test", "--", "-bob@dev.test"});
  CHECK((mailx && mailx->sender == "ann@dev.test" && mailx->recipients == Words{"-bob@dev.test"}));
  const auto git = parse_options({"-f", "ann@dev.test", "-i", "bob@dev.test", "carl@dev.test"});
  CHECK((git && git->sender == "ann@dev.test" && git->recipients.size() == 2));
  const auto mutt = parse_options({"-oem", "-oi", "-f", "", "-N", "success,delay", "-R", "hdrs", "--", "bob@dev.test"});
  CHECK((mutt && mutt->sender == "" && mutt->notify == "SUCCESS,DELAY" && mutt->ret == "HDRS"));
  const auto pine = parse_options({"-bs", "-odb", "-oem"});
  CHECK((pine && pine->mode == Mode::kSession));
  const auto bundled = parse_options({"-tif", "ann@dev.test"});
  CHECK((bundled && bundled->recipients_from_header && bundled->dot_is_text && bundled->sender == "ann@dev.test"));
}

TEST_CASE("what comes after the first recipient is no option") {
  const auto found = parse_options({"bob@dev.test", "-t"});
  CHECK((found && !found->recipients_from_header && found->recipients == Words{"bob@dev.test", "-t"}));
}

TEST_CASE("questions about a queue have nothing to do") {
  for (const Words& words : {Words{"-q"}, {"-q30m"}, {"-bp"}, {"-bi"}, {"-I"}}) {
    const auto found = parse_options(words);
    CHECK((found && found->mode == Mode::kNothing));
  }
}

TEST_CASE("an envelope identifier goes out in xtext (RFC 3461 §4)") {
  CHECK(parse_options({"-V", "a+b=c d"})->envelope_id == "a+2Bb+3Dc+20d");
}

TEST_CASE("what makes no sense is EX_USAGE") {
  for (const Words& words : {Words{"-Z"},
                             {"-f"},
                             {"-bd"},
                             {"-bv"},
                             {"-N", "sometimes"},
                             {"-N", "never,success"},
                             {"-N", ""},
                             {"-R", "half"},
                             {"-V", ""},
                             {"-V", std::string(101, 'x')},
                             {"-V", "\xc3\xa4"},
                             {"--nonsense"},
                             {"-f", "ann@dev.test\r\nRCPT TO:<eve@evil.test>"},
                             {"-F", "Ann\nBcc: eve@evil.test"},
                             {"bob\n"}}) {
    CAPTURE(words.back());
    const auto found = parse_options(words);
    CHECK((!found && found.error().status == EX_USAGE && !found.error().text.empty()));
  }
}
