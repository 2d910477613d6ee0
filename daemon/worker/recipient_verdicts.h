// What becomes of each recipient of one message over LMTP (RFC 2033 §4.2), while the message goes from hook to hook.
//
// A hook that refuses it for some recipients takes these away from the hooks behind it, as one that refuses a message
// does over SMTP; for the others it goes on. So nobody is told 250 whom not every hook accepted.

#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "proto/mail/envelope.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::worker {

class RecipientVerdicts {
 public:
  explicit RecipientVerdicts(std::size_t recipients);

  // Whether `verdict` speaks of as many recipients as a hook was asked about, or of none: then it is for all of them.
  bool fits(const mail::Verdict& verdict) const;

  // The next hook's verdict, which fits. Takes out of `recipients`, the ones it was asked about, all that it did not
  // accept.
  void apply(const mail::Verdict& verdict, std::vector<mail::Recipient>& recipients);

  bool anybody_left() const { return !left_.empty(); }

  // Nobody gets the message, and not because every hook wanted it so: somebody was refused it.
  bool in_vain() const;

  // For the session: one for each recipient, those that are left being accepted. It accepts if it does for anybody.
  mail::Verdict result() const;

 private:
  std::vector<std::optional<mail::Verdict>> verdicts_;  // by place in the envelope
  std::vector<std::size_t> left_;                       // places
};

}  // namespace hooksmtpd::worker
