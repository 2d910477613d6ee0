// Verdicts that stand in for a hook's, where there is none.

#pragma once

#include "config/config.h"
#include "proto/mail/verdict.h"

namespace hooksmtpd::worker::fallback {

// The hook failed. A bare `defer` gets the reply that fits its question: 451 4.3.0, 421 to a host, 454 4.7.0 to AUTH.
mail::Verdict on_failure(config::OnFailure policy);

// More requests wait for it than may.
mail::Verdict on_full_queue(config::HookEvent event);

// The message cannot be put where it can read it: `error` is errno.
mail::Verdict on_spool_error(int error);

// The request for a message is longer than a line may be, and will be the next time.
mail::Verdict on_long_delivery();

}  // namespace hooksmtpd::worker::fallback
