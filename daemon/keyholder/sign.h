// One request of a worker, answered.

#pragma once

#include "daemon/keyholder/key_set.h"
#include "daemon/sys/signing.h"

namespace hooksmtpd::keyholder {

// `length` within `data`, a kind that there is, nothing behind what counts. What breaks this was not written by our
// code, and its sender is dropped.
bool is_well_formed(const sys::SignRequest& request);

// Signs what a TLS server signs (signable.h), and nothing else. `key` is the one that `request` names, or null;
// `request` is well formed.
sys::SignReply sign(EVP_PKEY* key, const sys::SignRequest& request);

}  // namespace hooksmtpd::keyholder
