// What a request says about a session, kept beyond the session: a client may be gone before its message is delivered.

#pragma once

#include <string>

#include "proto/hook/request.h"

namespace hooksmtpd::worker {

struct Snapshot {
  explicit Snapshot(const hook::SessionFacts& facts)
      : id(facts.id),
        listener(facts.listener),
        client_ip(facts.client.ip),
        server_ip(facts.server.ip),
        helo(facts.helo),
        protocol(facts.protocol),
        client_port(facts.client.port),
        server_port(facts.server.port) {}

  hook::SessionFacts facts() const {
    return {.id = id,
            .listener = listener,
            .client = {.ip = client_ip, .port = client_port},
            .server = {.ip = server_ip, .port = server_port},
            .helo = helo,
            .protocol = protocol};
  }

  std::string id, listener, client_ip, server_ip, helo, protocol;
  std::uint16_t client_port, server_port;
};

}  // namespace hooksmtpd::worker
