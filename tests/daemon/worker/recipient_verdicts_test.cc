#include "daemon/worker/recipient_verdicts.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using mail::Action;
using mail::Verdict;

namespace {

const Verdict kAccept{};
const Verdict kReject{.action = Action::kReject, .code = 550, .enhanced = "5.1.1", .text = {"no"}};
const Verdict kDefer{.action = Action::kDefer, .code = 0, .enhanced = "", .text = {}};
const Verdict kDiscard{.action = Action::kDiscard, .code = 0, .enhanced = "", .text = {}};

Verdict each(std::vector<Verdict> verdicts) {
  Verdict verdict;
  verdict.recipients = std::move(verdicts);
  return verdict;
}

struct Message {
  explicit Message(const std::string& names) : verdicts(names.size()) {
    for (const char name : names) {
      recipients.push_back({.mailbox = {.local_part = std::string(1, name), .domain = "b.test"}, .params = {}});
    }
  }

  // The names of those that the next hook is asked about.
  std::string after(const Verdict& verdict) {
    REQUIRE(verdicts.fits(verdict));
    verdicts.apply(verdict, recipients);
    std::string left;
    for (const mail::Recipient& recipient : recipients) left += recipient.mailbox.local_part;
    return left;
  }

  RecipientVerdicts verdicts;
  std::vector<mail::Recipient> recipients;
};

}  // namespace

TEST_CASE("a hook that accepts accepts for everybody") {
  Message message("abc");
  CHECK(message.after(kAccept) == "abc");
  CHECK(message.verdicts.result() == each({kAccept, kAccept, kAccept}));
}

TEST_CASE("whom one hook refuses no hook behind it is asked about, and the verdicts keep the envelope's order") {
  Message message("abcd");
  CHECK(message.after(each({kAccept, kReject, kAccept, kAccept})) == "acd");
  CHECK(message.after(each({kDefer, kAccept, kDiscard})) == "c");
  CHECK(message.verdicts.anybody_left());
  CHECK(message.verdicts.result() == each({kDefer, kReject, kAccept, kDiscard}));
}

TEST_CASE("a verdict for all is that of each that is left") {
  Message message("abc");
  CHECK(message.after(each({kAccept, kReject, kAccept})) == "ac");
  CHECK(message.after(kDefer).empty());
  CHECK_FALSE(message.verdicts.anybody_left());
  CHECK(message.verdicts.result().recipients == std::vector<Verdict>{kDefer, kReject, kDefer});
}

TEST_CASE("the message is refused if it is for everybody, and not if one hook discarded it for somebody") {
  Message refused("ab");
  refused.after(each({kReject, kDefer}));
  CHECK_FALSE(mail::accepts(refused.verdicts.result()));
  Message discarded("ab");
  discarded.after(each({kReject, kDiscard}));
  CHECK(mail::accepts(discarded.verdicts.result()));
}

TEST_CASE("as many verdicts as recipients that the hook was asked about, or none") {
  Message message("abc");
  CHECK_FALSE(message.verdicts.fits(each({kAccept, kAccept})));
  message.after(each({kAccept, kReject, kAccept}));
  CHECK(message.verdicts.fits(each({kAccept, kAccept})));
  CHECK_FALSE(message.verdicts.fits(each({kAccept, kAccept, kAccept})));
}

TEST_CASE("it was in vain where nobody gets the message and somebody was refused it") {
  const auto in_vain = [](std::vector<Verdict> verdicts) {
    Message message(std::string(verdicts.size(), 'a'));
    message.after(each(std::move(verdicts)));
    return message.verdicts.in_vain();
  };
  CHECK_FALSE(in_vain({kAccept, kReject}));
  CHECK_FALSE(in_vain({kDiscard, kDiscard}));
  CHECK(in_vain({kDiscard, kDefer}));
}
