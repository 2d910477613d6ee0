#include "daemon/worker/fallback.h"

#include <doctest/doctest.h>

#include <cerrno>

using namespace hooksmtpd;
using namespace hooksmtpd::worker;
using mail::Action;

TEST_CASE("a hook that fails never gets more for it than its configuration says") {
  CHECK(fallback::on_failure(config::OnFailure::kTempfail).action == Action::kDefer);
  CHECK(fallback::on_failure(config::OnFailure::kReject).action == Action::kReject);
  CHECK(fallback::on_failure(config::OnFailure::kAccept) == mail::Verdict{});
}

TEST_CASE("too many requests are 451 4.3.2, where the question has no reply of its own for it") {
  CHECK(fallback::on_full_queue(config::HookEvent::kDeliver).enhanced == "4.3.2");
  CHECK(fallback::on_full_queue(config::HookEvent::kValidateHost) ==
        fallback::on_failure(config::OnFailure::kTempfail));
}

TEST_CASE("a full spool is 452 4.3.1, any other error of it a plain tempfail") {
  for (const int full : {ENOSPC, EDQUOT}) CHECK(fallback::on_spool_error(full).code == 452);
  CHECK(fallback::on_spool_error(EIO) == fallback::on_failure(config::OnFailure::kTempfail));
}
