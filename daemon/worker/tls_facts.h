// What a session and its hooks are told of TLS.

#pragma once

#include "proto/hook/request.h"
#include "proto/smtp/settings.h"

struct ssl_st;

namespace hooksmtpd::worker {

// After the handshake. What the client chose is cut where it is long: it goes into every request.
smtp::TlsFacts tls_facts(const ssl_st* tls);

// As requests want them; a view.
hook::TlsFacts to_hook(const smtp::TlsFacts& facts);

}  // namespace hooksmtpd::worker
