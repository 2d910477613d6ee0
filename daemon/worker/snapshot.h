// What requests say of a session, as it is for many of them: made once, and kept by messages that outlive the session.

#pragma once

#include <memory>
#include <optional>
#include <string>

#include "daemon/worker/tls_facts.h"
#include "proto/hook/request.h"
#include "proto/smtp/settings.h"

namespace hooksmtpd::worker {

class Snapshot {
 public:
  // `tls_facts`: null where there is no TLS. Of `facts` all else is taken but the notes.
  Snapshot(const hook::SessionFacts& facts, const smtp::TlsFacts* tls_facts)
      : id_(facts.id),
        listener_(facts.listener),
        client_ip_(facts.client.ip),
        server_ip_(facts.server.ip),
        helo_(facts.helo),
        protocol_(facts.protocol),
        user_(facts.user),
        facts_{.id = id_,
               .listener = listener_,
               .client = {.ip = client_ip_, .port = facts.client.port},
               .server = {.ip = server_ip_, .port = facts.server.port},
               .helo = helo_,
               .protocol = protocol_,
               .user = user_} {
    if (tls_facts) {
      tls_ = *tls_facts;
      facts_.tls = to_hook(*tls_);
    }
    written_ = written_once(facts_);
    facts_.written = written_;
  }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  // Without notes; views, as long as this is there.
  const hook::SessionFacts& facts() const { return facts_; }

  // The same session, later, is still as this says. TLS begins once, and never ends.
  bool shows(const hook::SessionFacts& now, bool tls) const {
    return now.helo == helo_ && now.protocol == protocol_ && now.user == user_ && tls == tls_.has_value() &&
           now.client.ip == client_ip_ && now.client.port == facts_.client.port;
  }

 private:
  std::string id_, listener_, client_ip_, server_ip_, helo_, protocol_, user_;
  std::optional<smtp::TlsFacts> tls_{};
  std::string written_{};
  hook::SessionFacts facts_;
};

using SnapshotPtr = std::shared_ptr<const Snapshot>;

}  // namespace hooksmtpd::worker
