#include "daemon/worker/recipient_verdicts.h"

#include <algorithm>
#include <cassert>
#include <numeric>
#include <utility>

namespace hooksmtpd::worker {

RecipientVerdicts::RecipientVerdicts(std::size_t recipients) : verdicts_(recipients), left_(recipients) {
  std::iota(left_.begin(), left_.end(), std::size_t{0});
}

bool RecipientVerdicts::fits(const mail::Verdict& verdict) const {
  return verdict.recipients.empty() || verdict.recipients.size() == left_.size();
}

void RecipientVerdicts::apply(const mail::Verdict& verdict, std::vector<mail::Recipient>& recipients) {
  assert(fits(verdict) && recipients.size() == left_.size());
  std::vector<std::size_t> left;
  std::vector<mail::Recipient> kept;
  for (std::size_t i = 0; i < left_.size(); ++i) {
    const mail::Verdict& one = verdict.recipients.empty() ? verdict : verdict.recipients[i];
    if (one.action == mail::Action::kAccept) {
      left.push_back(left_[i]);
      kept.push_back(std::move(recipients[i]));
    } else {
      verdicts_[left_[i]] = one;
    }
  }
  left_ = std::move(left);
  recipients = std::move(kept);
}

bool RecipientVerdicts::in_vain() const {
  const auto refused = [](const auto& verdict) { return verdict && !mail::accepts(*verdict); };
  return left_.empty() && std::ranges::any_of(verdicts_, refused);
}

mail::Verdict RecipientVerdicts::result() const {
  mail::Verdict result;
  for (const auto& verdict : verdicts_) result.recipients.push_back(verdict.value_or(mail::Verdict{}));
  if (!result.recipients.empty() && std::ranges::none_of(result.recipients, mail::accepts)) {
    result.action = result.recipients.front().action;
  }
  return result;
}

}  // namespace hooksmtpd::worker
