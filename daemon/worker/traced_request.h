// What a trace may say of a request line: whom it is about, and the line without the secrets in it.

#pragma once

#include <string>
#include <string_view>

#include "daemon/worker/trace_filter.h"
#include "proto/hook/event.h"

namespace hooksmtpd::worker {

// `line` is one that append_request() wrote: the session's members come first, and nothing in them needs an escape.
TraceSubject subject_of(hook::Event event, std::string_view line);

// Without its line feed. Of `auth`, every member that is not known to be harmless is `***`: a password, a token, a
// digest, and what later versions will call a proof.
std::string without_secrets(hook::Event event, std::string_view line);

}  // namespace hooksmtpd::worker
