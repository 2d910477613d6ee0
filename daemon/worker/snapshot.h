// What a request says about a session, kept beyond the session: a client may be gone before its message is delivered.

#pragma once

#include <optional>
#include <string>

#include "daemon/worker/tls_facts.h"
#include "proto/hook/request.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::worker {

struct Snapshot {
  // `tls_facts`: those of facts.tls; null: none.
  Snapshot(const hook::SessionFacts& facts, const smtp::TlsFacts* tls_facts)
      : id(facts.id),
        listener(facts.listener),
        client_ip(facts.client.ip),
        server_ip(facts.server.ip),
        helo(facts.helo),
        protocol(facts.protocol),
        user(facts.user),
        client_port(facts.client.port),
        server_port(facts.server.port) {
    if (tls_facts) tls = *tls_facts;
  }

  hook::SessionFacts facts() const {
    hook::SessionFacts facts{.id = id,
                             .listener = listener,
                             .client = {.ip = client_ip, .port = client_port},
                             .server = {.ip = server_ip, .port = server_port},
                             .helo = helo,
                             .protocol = protocol,
                             .tls = {},
                             .user = user};
    if (tls) facts.tls = to_hook(*tls);
    return facts;
  }

  std::string id, listener, client_ip, server_ip, helo, protocol, user;
  std::optional<smtp::TlsFacts> tls;
  std::uint16_t client_port, server_port;
};

}  // namespace hooksmtpd::worker
